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

#[cfg(test)]
mod tests {
    use crate::engine::moments::Moments;
    use crate::engine::protocol::ReadId;
    use crate::engine::question::Wanted;
    use crate::providers::request::Call;
    use crate::values::fields::Fields;
    use crate::values::{Instant, Value};

    fn wanted() -> Wanted {
        Wanted::new(Call {
            provider: "api".to_owned(),
            function: "get".to_owned(),
            args: Fields::new(),
        })
    }

    /// The same question at each of so many instants.
    fn asked(instants: i64) -> Moments {
        let mut moments = Moments::default();
        for (id, at) in (1..).zip(0..instants) {
            moments.ask(Instant(at), ReadId(id), &wanted());
        }
        moments
    }

    fn answer(moments: &mut Moments, id: u64) {
        let moment = moments.answered(ReadId(id)).unwrap();
        moment.answer(ReadId(id), Ok(Value::Absent));
    }

    #[test]
    fn what_is_answered_is_forgotten_but_for_the_newest_and_what_is_not_is_kept() {
        let mut moments = asked(20);
        for id in (1..=20).filter(|id| *id != 3) {
            answer(&mut moments, id);
        }
        moments.forget(Instant(19));
        let kept: Vec<i64> = (0..20)
            .filter(|at| moments.get(Instant(*at)).is_some())
            .collect();
        assert_eq!(kept, [2, 19]);
        let newest = moments.get(Instant(19)).and_then(|now| now.find(&wanted()));
        assert!(newest.is_some_and(|question| question.answer.is_some()));
        answer(&mut moments, 3);
        assert!(!moments.is_any_unanswered());
    }

    #[test]
    fn a_few_instants_are_kept_a_little_longer() {
        for instants in [3, 16] {
            let mut moments = asked(instants);
            (1..)
                .zip(0..instants)
                .for_each(|(id, _)| answer(&mut moments, id));
            moments.forget(Instant(instants));
            assert!(moments.get(Instant(0)).is_some());
            assert!(moments.get(Instant(instants)).is_none());
        }
    }

    #[test]
    fn what_is_asked_later_of_an_earlier_instant_stands_in_its_place() {
        let mut moments = asked(3);
        moments.ask(Instant(-5), ReadId(9), &wanted());
        let found = moments
            .get(Instant(-5))
            .and_then(|then| then.find(&wanted()));
        assert_eq!(found.map(|question| question.id), Some(ReadId(9)));
        let newest = moments
            .get(Instant(2))
            .and_then(|then| then.find(&wanted()));
        assert_eq!(newest.map(|question| question.id), Some(ReadId(3)));
    }
}
