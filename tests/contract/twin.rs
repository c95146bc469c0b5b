//! The twins of the simulation keep the same contracts as the real systems.

use super::ask::{call, text};
use super::{http, prometheus, shell, slack};
use deployc::effects::provider::Provider;
use deployc::effects::twin::Twin;
use deployc::providers::request::Call;
use deployc::simulate::history::What;
use deployc::simulate::script::{Line, Question};
use deployc::simulate::world::{Turn, World};
use deployc::values::{Instant, Value};
use std::sync::Arc;

/// A world with nothing but the provider `it`.
struct Simulated {
    twin: Twin,
    said: usize,
}

impl Simulated {
    fn new(kind: &str) -> Simulated {
        let plan = super::ask::plan(vec![("it", kind, vec![])]);
        let start = Instant(1_769_000_000_000_000_000);
        Simulated {
            twin: Twin::new(World::new(&plan, start)),
            said: 0,
        }
    }

    /// From now on, this is so.
    fn say(&mut self, line: Line) {
        self.said += 1;
        let mut world = self.twin.world();
        let now = world.now;
        world.plan_turn(now, Turn::Begin(self.said, vec![line]));
        assert!(world.advance(now).is_none());
    }

    fn answer(&mut self, call: Call, field: &str, value: Value) {
        self.say(Line::Answer {
            to: Question {
                provider: call.provider,
                function: call.function,
                args: call.args,
                path: vec![field.to_owned()],
            },
            value,
        });
    }

    fn down(&mut self) {
        self.say(Line::Down {
            provider: "it".to_owned(),
        });
    }

    fn it(&self) -> Arc<dyn Provider> {
        Arc::new(self.twin.clone())
    }
}

impl http::Bench for Simulated {
    fn answers(&mut self, path: &str, status: u16, body: &str) {
        let get = || call("get", [("path", text(path))]);
        self.answer(get(), "status", Value::count(i64::from(status)));
        self.answer(get(), "body", text(body));
    }

    fn goes_down(&mut self) {
        self.down();
    }

    fn provider(&self) -> Arc<dyn Provider> {
        self.it()
    }
}

impl prometheus::Bench for Simulated {
    fn query(&mut self, metric: &str, series: &[prometheus::Series<'_>]) -> Call {
        self.say(Line::Metric {
            metric: metric.to_owned(),
            scope: None,
            raw: series.first().map(|(_, value)| *value),
        });
        call("query", [("query", text(metric)), ("metric", text(metric))])
    }

    fn provider(&self) -> Arc<dyn Provider> {
        self.it()
    }

    fn provider_of_one_that_is_down(&self) -> Arc<dyn Provider> {
        let mut other = Simulated::new("prometheus");
        other.down();
        other.it()
    }

    fn now(&self) -> Instant {
        self.twin.world().now
    }
}

impl shell::Bench for Simulated {
    fn command(&mut self, does: shell::Does) -> Vec<String> {
        let argv = vec!["command".to_owned()];
        let run = || call("run", [("argv", Value::List(vec![text("command")]))]);
        match does {
            shell::Does::SaysHello => self.answer(run(), "stdout", text("hello\n")),
            shell::Does::SaysJson => self.answer(run(), "stdout", text(r#"{"version": 3}"#)),
            shell::Does::Fails => {
                self.answer(run(), "status", Value::count(3));
                self.answer(run(), "stderr", text("no such host"));
            }
        }
        argv
    }

    fn provider(&self) -> Arc<dyn Provider> {
        self.it()
    }
}

impl slack::Bench for Simulated {
    fn provider(&self) -> Arc<dyn Provider> {
        self.it()
    }

    fn goes_down(&mut self) {
        self.down();
    }

    fn heard(&self) -> Vec<String> {
        let history = self.twin.world().history();
        let told = history.into_iter().filter_map(|change| match change.what {
            What::Told(text) => Some(text),
            _ => None,
        });
        told.collect()
    }
}

#[tokio::test]
async fn http_keeps_the_contract() {
    http::suite(|| Simulated::new("http")).await;
}

#[tokio::test]
async fn prometheus_keeps_the_contract() {
    prometheus::suite(|| Simulated::new("prometheus")).await;
}

#[tokio::test]
async fn shell_keeps_the_contract() {
    shell::suite(|| Simulated::new("shell")).await;
}

#[tokio::test]
async fn slack_and_webhooks_keep_the_contract() {
    slack::suite(|| Simulated::new("slack")).await;
    slack::suite(|| Simulated::new("webhook")).await;
}
