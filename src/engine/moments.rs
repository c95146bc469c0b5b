//! The instants at which something is sampled, each with the questions that were asked there.

use crate::engine::protocol::ReadId;
use crate::engine::question::{Moment, Wanted};
use crate::values::Instant;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// Few at a time, in their order: what is asked and answered is nearly always of the newest.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Moments {
    known: Vec<(Instant, Moment)>,
    /// Where each question without an answer was asked. It follows from the rest.
    #[serde(skip)]
    unanswered: FxHashMap<ReadId, Instant>,
}

impl Moments {
    pub fn get(&self, at: Instant) -> Option<&Moment> {
        let place = self.place(at).ok()?;
        self.known.get(place).map(|(_, moment)| moment)
    }

    pub fn get_mut(&mut self, at: Instant) -> Option<&mut Moment> {
        let place = self.place(at).ok()?;
        self.known.get_mut(place).map(|(_, moment)| moment)
    }

    /// Where the question was asked; from now on it has its answer.
    pub fn answered(&mut self, id: ReadId) -> Option<&mut Moment> {
        let at = self.unanswered.remove(&id)?;
        self.get_mut(at)
    }

    pub fn is_unanswered(&self, id: ReadId) -> bool {
        self.unanswered.contains_key(&id)
    }

    pub fn is_any_unanswered(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// Asks what was not asked at this instant yet; the number of the question is greater than all before.
    pub fn ask(&mut self, at: Instant, id: ReadId, wanted: &Wanted) {
        let place = self.place(at).unwrap_or_else(|place| {
            let before = self.known.last().map(|(_, moment)| moment);
            let moment = before.map_or_else(Moment::default, Moment::like);
            self.known.insert(place, (at, moment));
            place
        });
        if let Some((_, moment)) = self.known.get_mut(place) {
            moment.ask(id, wanted);
            self.unanswered.insert(id, at);
        }
    }

    /// Answers are kept until all questions of their instant are answered, and a little longer.
    pub fn forget(&mut self, now: Instant) {
        const KEPT: usize = 16;
        if self.known.len() > KEPT {
            let kept = |(at, moment): &(Instant, Moment)| moment.unanswered > 0 || *at >= now;
            self.known.retain(kept);
        }
    }

    /// What was asked is lost, and what was answered is old.
    pub fn clear(&mut self) {
        *self = Moments::default();
    }

    fn place(&self, at: Instant) -> Result<usize, usize> {
        match self.known.last() {
            Some((newest, _)) if *newest == at => Ok(self.known.len() - 1),
            Some((newest, _)) if *newest < at => Err(self.known.len()),
            _ => self.known.binary_search_by_key(&at, |(known, _)| *known),
        }
    }
}
