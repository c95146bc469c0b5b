//! What the engine has asked for and was not answered yet.

use crate::engine::protocol::ReadId;
use crate::plan::node::NodeId;
use crate::providers::request::{Direction, Key};
use crate::values::Instant;
use crate::verify::fault::{Doing, Looking, Says, Seeing};
use crate::verify::people::Signer;

#[derive(Clone, Debug)]
pub enum Request {
    /// A measurement; what it says on this occasion only.
    Site {
        id: ReadId,
        site: usize,
        /// The moment that is asked about; after a crash it may lie a little back.
        at: Instant,
        says: Option<Says>,
    },
    /// All rules of a watch; what some of them say on this occasion only.
    Watch {
        id: ReadId,
        watch: u32,
        says: Vec<(u32, Says)>,
        blind: bool,
    },
    Prepare {
        change: usize,
        how: Option<Looking>,
    },
    Commit {
        change: usize,
        direction: Direction,
        how: Option<Doing>,
        timeout_ns: i64,
    },
    Observe {
        change: usize,
        direction: Direction,
        how: Option<Seeing>,
    },
    Tell {
        key: Key,
        works: bool,
    },
    Person {
        gate: NodeId,
        signer: Signer,
        yes: bool,
    },
}
