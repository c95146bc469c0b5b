//! Exit codes, in one place.

use crate::engine::protocol::RunOutcome;
use std::process::ExitCode;

/// How the program ends. `deployc --help` prints this table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: what was asked is done; a run succeeded, a plan is valid.
    Succeeded,
    /// 1: the plan is invalid, a test failed, or something could not be had before anything was changed.
    Invalid,
    /// 2: the command line is wrong.
    Usage,
    /// 3: the run was rolled back; production is as it was.
    RolledBack,
    /// 4: the rollback is incomplete; somebody has to look now.
    RollbackIncomplete,
    /// 5: the run stopped, waits or is paused; nothing had to be undone, or nothing yet.
    Waiting,
    /// 130: interrupted; `deployc resume` goes on.
    Interrupted,
}

/// For `--help`.
pub const TABLE: &str = "\
Exit codes:
  0    succeeded
  1    plan invalid, a test failed, or nothing could be started
  2    wrong usage
  3    rolled back
  4    rollback incomplete: look now
  5    stopped, waiting or paused
  130  interrupted";

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Succeeded => 0,
            Exit::Invalid => 1,
            Exit::Usage => 2,
            Exit::RolledBack => 3,
            Exit::RollbackIncomplete => 4,
            Exit::Waiting => 5,
            Exit::Interrupted => 130,
        }
    }

    pub fn of_run(outcome: RunOutcome) -> Exit {
        match outcome {
            RunOutcome::Succeeded => Exit::Succeeded,
            RunOutcome::Stopped => Exit::Waiting,
            RunOutcome::RolledBack => Exit::RolledBack,
            RunOutcome::RollbackIncomplete => Exit::RollbackIncomplete,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
