//! Freezes: nothing goes forward in them. A change that may have left is carried to its end, and whatever goes back or is
//! aborted is never held up.

use crate::engine::turn::Turn;
use crate::plan::node::NodeId;
use crate::values::show;

/// Whether a freeze keeps the node from changing anything now; it is visited again when that is over.
pub fn holds_up(turn: &mut Turn, id: NodeId) -> bool {
    let (plan, now) = (turn.plan, turn.now());
    let mut freezes = (0_u32..).zip(&plan.freezes);
    let found = freezes.find(|(_, freeze)| freeze.window.from <= now && now < freeze.window.to);
    let Some((index, freeze)) = found else {
        return false;
    };
    turn.due(freeze.window.to);
    if turn.state.frozen.insert((id, index)) {
        let until = show::instant(freeze.window.to);
        let title = freeze.title.as_ref();
        let title = title.map_or(String::new(), |title| format!(" (\"{title}\")"));
        turn.say(
            id,
            format!("it waits: changes are frozen until {until}{title}"),
        );
    }
    true
}
