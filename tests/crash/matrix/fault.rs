//! What can go wrong with one call.

/// What a process does that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Append,
    Read,
    Prepare,
    Commit,
    /// The commit of a command: it runs here, so nothing is between, and nobody can look at it afterwards.
    Command,
    Observe,
    Tell,
    /// Somebody's answer reaches the store.
    Letter,
}

/// **Of the process:** it is lost before a record is written, after that, before a request leaves, after it has left. A
/// write fails, and was not made, or was made all the same.
/// **Of the request:** see each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    LostBefore,
    LostAfter,
    /// The sync fails, once: what was to be written is not there.
    NotWritten,
    /// The sync fails, but what was written is there.
    WrittenInDoubt,
    /// It never arrives; its time runs out.
    Dropped,
    /// It is carried out, and the answer never comes; its time runs out.
    AnswerLost,
    /// 500 after it was carried out.
    ErrorAfterDone,
    /// 429: come back later.
    TooMany,
    /// 409: somebody else was faster.
    Conflict,
    /// It arrives twice.
    Twice,
    /// It is under way for longer than its process lives, and arrives when another has taken over and gone on.
    Late,
    /// It is answered from a copy that has not seen the newest change.
    Stale,
}

/// A fault at a call of a run.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    pub at: At,
    pub what: What,
}

#[derive(Clone, Copy, Debug)]
pub enum At {
    /// The n-th call, from 0.
    Nth(usize),
    /// The first call of a kind after so many calls.
    Next(Call, usize),
}

#[derive(Clone, Copy, Debug)]
pub enum What {
    Fault(Fault),
    /// One of those that the call can have, whatever it turns out to be.
    Any(usize),
}

impl Planned {
    /// The fault of the n-th call, if it is planned for it.
    pub fn fault(&self, call: Call, n: usize) -> Option<Fault> {
        let here = match self.at {
            At::Nth(at) => at == n,
            At::Next(kind, after) => kind == call && n > after,
        };
        let faults = call.faults();
        match self.what {
            What::Fault(fault) => (here && faults.contains(&fault)).then_some(fault),
            What::Any(number) => {
                let fault = number
                    .checked_rem(faults.len())
                    .and_then(|at| faults.get(at));
                fault.filter(|_| here).copied()
            }
        }
    }
}

impl Call {
    pub const ALL: [Call; 8] = [
        Call::Append,
        Call::Read,
        Call::Prepare,
        Call::Commit,
        Call::Command,
        Call::Observe,
        Call::Tell,
        Call::Letter,
    ];

    pub fn faults(self) -> &'static [Fault] {
        match self {
            Call::Append => &[
                Fault::LostBefore,
                Fault::LostAfter,
                Fault::NotWritten,
                Fault::WrittenInDoubt,
            ],
            Call::Read => &[Fault::LostBefore, Fault::LostAfter, Fault::Dropped],
            Call::Prepare => &[
                Fault::LostBefore,
                Fault::LostAfter,
                Fault::Dropped,
                Fault::TooMany,
                Fault::Stale,
            ],
            Call::Commit => &[
                Fault::LostBefore,
                Fault::LostAfter,
                Fault::Dropped,
                Fault::AnswerLost,
                Fault::ErrorAfterDone,
                Fault::TooMany,
                Fault::Conflict,
                Fault::Twice,
                Fault::Late,
            ],
            Call::Command => &[
                Fault::LostBefore,
                Fault::LostAfter,
                Fault::Dropped,
                Fault::AnswerLost,
            ],
            Call::Observe => &[
                Fault::LostBefore,
                Fault::LostAfter,
                Fault::Dropped,
                Fault::TooMany,
                Fault::Stale,
            ],
            Call::Tell => &[Fault::LostBefore, Fault::LostAfter, Fault::Dropped],
            // It was written; before it is taken the process is lost, or somebody has pressed the button twice.
            Call::Letter => &[Fault::LostBefore, Fault::Twice],
        }
    }
}

impl Fault {
    /// Whether a run may rightly end in another way than without it: what it saw was no longer so, and it was refused.
    pub fn may_change_the_end(self) -> bool {
        matches!(self, Fault::Conflict | Fault::Stale)
    }
}
