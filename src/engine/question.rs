//! The questions of one instant: each is asked once, however many want its answer.

use crate::engine::agenda::Waiter;
use crate::engine::protocol::{ReadId, shared};
use crate::providers::request::{Call, Failure};
use crate::units::amount::Amount;
use crate::values::Value;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};
use serde::Serialize;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The questions that were asked at one instant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Moment {
    /// In the order in which they were asked, which is that of their numbers.
    pub questions: Vec<Question>,
    /// Questions without an answer.
    pub unanswered: u32,
    /// By their digests; one whose digest is taken has the next that is free. It follows from the rest.
    #[serde(skip)]
    places: FxHashMap<u64, u32>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Question {
    pub id: ReadId,
    #[serde(serialize_with = "shared::serialize")]
    pub call: Arc<Call>,
    pub answer: Option<Result<Value, Failure>>,
    /// Who waits for the answer.
    #[serde(skip)]
    waiters: Waiters,
}

/// Nearly always one.
pub type Waiters = SmallVec<[Waiter; 1]>;

/// What somebody wants to know, and a digest of it: equal for calls that ask the same, whatever the order of their
/// arguments.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub call: Arc<Call>,
    digest: u64,
}

/// As [`Wanted`], of words and values that stand elsewhere: most are only looked for.
#[derive(Debug)]
pub struct Sought<'a> {
    provider: &'a str,
    function: &'a str,
    args: Vec<(&'a str, Cow<'a, Value>)>,
    digest: u64,
}

impl Wanted {
    pub fn new(call: Call) -> Wanted {
        let digest = digest(&call.provider, &call.function, call.args.iter());
        let call = Arc::new(call);
        Wanted { call, digest }
    }
}

impl<'a> Sought<'a> {
    pub fn new(
        provider: &'a str,
        function: &'a str,
        args: Vec<(&'a str, Cow<'a, Value>)>,
    ) -> Sought<'a> {
        let named = args.iter().map(|(name, value)| (*name, &**value));
        let digest = digest(provider, function, named);
        Sought {
            provider,
            function,
            args,
            digest,
        }
    }

    pub fn into_wanted(self) -> Wanted {
        let args = self.args.into_iter();
        let call = Call {
            provider: self.provider.to_owned(),
            function: self.function.to_owned(),
            args: args
                .map(|(name, value)| (name.to_owned(), value.into_owned()))
                .collect(),
        };
        Wanted {
            call: Arc::new(call),
            digest: self.digest,
        }
    }

    fn is_in(&self, call: &Call) -> bool {
        let named = self.args.iter().map(|(name, value)| (*name, &**value));
        is_same(call, self.provider, self.function, named)
    }
}

impl Moment {
    pub fn find(&self, wanted: &Wanted) -> Option<&Question> {
        let Call {
            provider,
            function,
            args,
        } = &*wanted.call;
        self.find_by(wanted.digest, |call| {
            Arc::ptr_eq(call, &wanted.call) || is_same(call, provider, function, args.iter())
        })
    }

    pub fn find_sought(&self, sought: &Sought) -> Option<&Question> {
        self.find_by(sought.digest, |call| sought.is_in(call))
    }

    /// One at which as much will be asked.
    pub fn like(other: &Moment) -> Moment {
        let questions = other.questions.len();
        Moment {
            questions: Vec::with_capacity(questions),
            places: FxHashMap::with_capacity_and_hasher(questions, FxBuildHasher),
            unanswered: 0,
        }
    }

    /// Of one that is not there yet; its number is greater than all before.
    pub fn ask(&mut self, id: ReadId, wanted: &Wanted) {
        let place = u32::try_from(self.questions.len()).unwrap_or(u32::MAX);
        let mut digest = wanted.digest;
        while self.places.contains_key(&digest) {
            digest = digest.wrapping_add(1);
        }
        self.places.insert(digest, place);
        self.unanswered += 1;
        self.questions.push(Question {
            id,
            call: Arc::clone(&wanted.call),
            answer: None,
            waiters: Waiters::new(),
        });
    }

    pub fn wait(&mut self, id: ReadId, waiter: Waiter) {
        if let Some(question) = self.question_mut(id)
            && !question.waiters.contains(&waiter)
        {
            question.waiters.push(waiter);
        }
    }

    /// Gives those who waited.
    pub fn answer(&mut self, id: ReadId, answer: Result<Value, Failure>) -> Waiters {
        let Some(question) = self.question_mut(id) else {
            return Waiters::new();
        };
        question.answer = Some(answer);
        let waiters = std::mem::take(&mut question.waiters);
        self.unanswered = self.unanswered.saturating_sub(1);
        waiters
    }

    fn question_mut(&mut self, id: ReadId) -> Option<&mut Question> {
        let place = self.place_of(id)?;
        self.questions.get_mut(place)
    }

    fn find_by(&self, digest: u64, is_it: impl Fn(&Arc<Call>) -> bool) -> Option<&Question> {
        let mut digest = digest;
        loop {
            let place = *self.places.get(&digest)?;
            let question = self.questions.get(place as usize)?;
            if is_it(&question.call) {
                return Some(question);
            }
            digest = digest.wrapping_add(1);
        }
    }

    fn place_of(&self, id: ReadId) -> Option<usize> {
        let first = self.questions.first()?.id;
        // Those of one instant are nearly always asked in a row.
        let in_a_row = usize::try_from(id.0.checked_sub(first.0)?).ok()?;
        match self.questions.get(in_a_row) {
            Some(question) if question.id == id => Some(in_a_row),
            _ => self
                .questions
                .binary_search_by_key(&id, |known| known.id)
                .ok(),
        }
    }
}

fn digest<'a>(
    provider: &str,
    function: &str,
    args: impl Iterator<Item = (&'a str, &'a Value)>,
) -> u64 {
    let mut hasher = FxHasher::default();
    (provider, function).hash(&mut hasher);
    // Added up, because their order means nothing.
    let args = args.map(|(name, value)| {
        let mut hasher = FxHasher::default();
        name.hash(&mut hasher);
        hash_of(value, &mut hasher);
        hasher.finish()
    });
    hasher.write_u64(args.fold(0, u64::wrapping_add));
    hasher.finish()
}

fn hash_of(value: &Value, hasher: &mut FxHasher) {
    match value {
        Value::Bool(is) => is.hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::Instant(at) => at.hash(hasher),
        Value::Quantity(quantity) => match quantity.amount {
            Amount::Exact(nano) => nano.hash(hasher),
            // All of them are written alike.
            Amount::Measured(value) if value.is_nan() => {}
            Amount::Measured(value) => value.to_bits().hash(hasher),
        },
        Value::List(items) => items.iter().for_each(|item| hash_of(item, hasher)),
        Value::Record(fields) => fields.values().for_each(|field| hash_of(field, hasher)),
        // Rare as arguments: where nothing else tells them apart they are compared.
        Value::Json(_)
        | Value::Version(_)
        | Value::Verdict(_)
        | Value::Interval(..)
        | Value::Absent => {}
    }
}

fn is_same<'a>(
    call: &Call,
    provider: &str,
    function: &str,
    args: impl ExactSizeIterator<Item = (&'a str, &'a Value)>,
) -> bool {
    // Nearly always they stand in one order.
    let has = |(place, (name, value)): (usize, (&str, &Value))| {
        let in_order = call
            .args
            .get_index(place)
            .filter(|(known, _)| *known == name);
        let known = in_order.map(|(_, known)| known);
        let known = known.or_else(|| call.args.get(name));
        known.is_some_and(|known| is_same_value(known, value))
    };
    call.provider == provider
        && call.function == function
        && call.args.len() == args.len()
        && args.enumerate().all(has)
}

/// Values have no equality of their own, as floats have none; two that are written alike are the same argument.
fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one == other,
        _ => match (serde_json::to_string(one), serde_json::to_string(other)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::agenda::{Visitor, Waiter};
    use crate::engine::protocol::ReadId;
    use crate::engine::question::{Moment, Sought, Wanted, is_same};
    use crate::providers::request::Call;
    use crate::units::Dim;
    use crate::values::{Instant, Value};
    use std::borrow::Cow;

    fn wanted(args: &[(&str, Value)]) -> Wanted {
        let args = args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        Wanted::new(Call {
            provider: "api".to_owned(),
            function: "get".to_owned(),
            args: args.collect(),
        })
    }

    fn moment(asked: &[&Wanted]) -> Moment {
        let mut moment = Moment::default();
        for (id, wanted) in (1..).zip(asked) {
            assert!(moment.find(wanted).is_none());
            moment.ask(ReadId(id), wanted);
        }
        moment
    }

    fn found(moment: &Moment, wanted: &Wanted) -> Option<ReadId> {
        moment.find(wanted).map(|question| question.id)
    }

    #[test]
    fn the_order_of_arguments_means_nothing_and_each_of_them_counts() {
        let (path, port) = (Value::String("/a".to_owned()), Value::count(80));
        let first = wanted(&[("path", path.clone()), ("port", port.clone())]);
        let moment = moment(&[&first]);
        let turned = wanted(&[("port", port.clone()), ("path", path.clone())]);
        assert_eq!(found(&moment, &turned), Some(ReadId(1)));
        let crossed = wanted(&[("path", port), ("port", path.clone())]);
        assert_eq!(found(&moment, &crossed), None);
        assert_eq!(found(&moment, &wanted(&[("path", path)])), None);
    }

    #[test]
    fn what_is_sought_is_what_is_wanted() {
        let (path, port) = (Value::String("/a".to_owned()), Value::count(80));
        let known = wanted(&[("path", path.clone()), ("port", port.clone())]);
        let moment = moment(&[&known]);
        let sought = |args| Sought::new("api", "get", args);
        let all = [("port", &port), ("path", &path)];
        let all = sought(
            all.map(|(name, value)| (name, Cow::Borrowed(value)))
                .to_vec(),
        );
        let question = moment.find_sought(&all);
        assert_eq!(question.map(|question| question.id), Some(ReadId(1)));
        assert_eq!(found(&moment, &all.into_wanted()), Some(ReadId(1)));
        let one = sought(vec![("path", Cow::Borrowed(&path))]);
        assert!(moment.find_sought(&one).is_none());
    }

    #[test]
    fn what_is_written_alike_is_one_argument() {
        let nan = |bits| wanted(&[("of", Value::measured(Dim::Count, f64::from_bits(bits)))]);
        let quiet = nan(0x7ff8_0000_0000_0000);
        let exact = wanted(&[("of", Value::count(1))]);
        let measured = wanted(&[("of", Value::measured(Dim::Count, 1.0))]);
        let (yes, no) = (Value::Bool(true), Value::Bool(false));
        for (one, other) in [
            (yes, no),
            (Value::Instant(Instant(1)), Value::Instant(Instant(2))),
        ] {
            let moment = moment(&[&wanted(&[("of", one.clone())])]);
            assert_eq!(found(&moment, &wanted(&[("of", one)])), Some(ReadId(1)));
            assert_eq!(found(&moment, &wanted(&[("of", other)])), None);
        }
        let moment = moment(&[&quiet, &exact, &measured]);
        assert_eq!(found(&moment, &nan(0x7ff8_0000_0000_0000)), Some(ReadId(1)));
        assert_eq!(found(&moment, &nan(0x7ff8_0000_0000_0001)), Some(ReadId(1)));
        assert_eq!(
            found(&moment, &wanted(&[("of", Value::count(1))])),
            Some(ReadId(2))
        );
        assert_eq!(found(&moment, &measured), Some(ReadId(3)));
    }

    #[test]
    fn questions_with_one_digest_are_told_apart() {
        let json = |number: i64| wanted(&[("of", Value::json(number.into()))]);
        let all: Vec<Wanted> = (0..5).map(json).collect();
        assert!(all.iter().all(|one| one.digest == all[0].digest));
        let moment = moment(&all.iter().collect::<Vec<_>>());
        for (id, one) in (1..).zip(&all) {
            assert_eq!(found(&moment, one), Some(ReadId(id)));
        }
        assert_eq!(found(&moment, &json(9)), None);
        let sought = |number: i64| {
            let value = Value::json(number.into());
            let sought = Sought::new("api", "get", vec![("of", Cow::Owned(value))]);
            moment.find_sought(&sought).map(|question| question.id)
        };
        assert_eq!((sought(3), sought(9)), (Some(ReadId(4)), None));
    }

    /// Whatever their digests are.
    #[test]
    fn a_question_is_its_provider_its_function_and_all_of_its_arguments() {
        let path = Value::String("/a".to_owned());
        let known = wanted(&[("path", path.clone()), ("port", Value::count(80))]);
        let both = || known.call.args.iter();
        let is = |provider, function| is_same(&known.call, provider, function, both());
        assert!(is("api", "get"));
        assert!(!is("other", "get"));
        assert!(!is("api", "list"));
        let one = wanted(&[("path", path)]);
        assert!(!is_same(&known.call, "api", "get", one.call.args.iter()));
        assert!(!is_same(&one.call, "api", "get", both()));
    }

    #[test]
    fn an_answer_goes_to_its_question_and_to_those_who_wait_for_it() {
        let (one, other) = (wanted(&[]), wanted(&[("path", Value::Absent)]));
        let mut moment = moment(&[&one, &other]);
        let waiter = Waiter {
            visitor: Visitor::Watch(3),
            rule: Some(1),
        };
        moment.wait(ReadId(2), waiter);
        moment.wait(ReadId(2), waiter);
        assert_eq!(moment.answer(ReadId(1), Ok(Value::Absent))[..], []);
        assert_eq!(moment.answer(ReadId(2), Ok(Value::Absent))[..], [waiter]);
        assert_eq!(moment.answer(ReadId(7), Ok(Value::Absent))[..], []);
        assert_eq!(moment.unanswered, 0);
        let answered = |wanted| {
            moment
                .find(wanted)
                .is_some_and(|known| known.answer.is_some())
        };
        assert!(answered(&other) && answered(&one));
    }

    #[test]
    fn a_question_between_which_and_the_first_others_were_asked_elsewhere_is_found() {
        let all: Vec<Wanted> = (0..3).map(|n| wanted(&[("of", Value::count(n))])).collect();
        let mut moment = Moment::default();
        for (id, one) in [1, 3, 4].into_iter().zip(&all) {
            moment.ask(ReadId(id), one);
        }
        moment.answer(ReadId(3), Ok(Value::Absent));
        let answered = |one| moment.find(one).is_some_and(|known| known.answer.is_some());
        assert_eq!(
            all.iter().map(answered).collect::<Vec<_>>(),
            [false, true, false]
        );
    }
}
