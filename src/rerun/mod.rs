//! A journal carried out once more: the engine decides anew, the journal answers.
//!
//! What the engine asks is answered with what was answered then, at the same moments, in virtual time. With the plan of the
//! journal the very same events have to come out. With another plan it is found out where the two part.
//!
//! **Invariant:** nothing is guessed. A question that the journal has no answer to has no data, whatever the metric says of
//! absence. And what was measured speaks of the world as the run had changed it: as soon as the other plan would have changed
//! something else, or at another moment, the replay is over.

pub mod drive;
pub mod parting;
pub mod recording;
