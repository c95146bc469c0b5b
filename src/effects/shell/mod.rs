//! Commands on the machine of the runner.
//!
//! A command is a list of words that no shell reads. It gets `PATH` and what the plan names, and `DEPLOYC_KEY`, the name
//! of the change: a script can use it to do a thing once, and we find by it what a command has left behind.

pub mod command;
pub mod leftover;
pub mod machine;
pub mod output;

use crate::effects::provider::Provider;
use crate::effects::secret::{Environment, Secrets};
use crate::effects::settings::{Settings, Wrong};
use crate::effects::shell::command::{Command, End, Ended};
use crate::providers::request::{
    self, Call, Direction, Failure, FailureKind, Intent, Key, Observable, Observation, Outcome,
    Request, Response, Target,
};
use crate::values::Value;
use crate::values::fields::Fields;
use async_trait::async_trait;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub struct Shell {
    cwd: Option<PathBuf>,
    variables: Vec<(String, String)>,
    limit: Option<Duration>,
    secrets: Arc<Secrets>,
}

pub fn build(settings: Settings<'_>, secrets: Arc<Secrets>) -> Result<Shell, Wrong> {
    Ok(Shell {
        cwd: settings.text("cwd")?.map(PathBuf::from),
        variables: variables(settings)?,
        limit: settings.duration("timeout")?,
        secrets,
    })
}

/// What a command finds in its environment; the plan's own `env` wins.
fn variables(settings: Settings<'_>) -> Result<Vec<(String, String)>, Wrong> {
    let environment: &Environment = settings.environment;
    let mut variables: IndexMap<&str, String> = IndexMap::new();
    if let Some(path) = environment.get("PATH") {
        variables.insert("PATH", path.to_owned());
    }
    for name in settings.texts("inherit")? {
        let value = environment.get(name);
        let value = value.ok_or_else(|| format!("the environment variable `{name}` is not set"))?;
        variables.insert(name, value.to_owned());
    }
    for name in settings.texts("secrets")? {
        variables.insert(name, environment.secret(name)?.expose().to_owned());
    }
    for (name, value) in settings.map("env")? {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!("`{name}` cannot be an environment variable"));
        }
        variables.insert(name, value.to_owned());
    }
    let owned = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Ok(owned.collect())
}

/// In an intent: complete, so that it can be carried out without the plan's file.
#[derive(Debug, Serialize, Deserialize)]
struct Forward {
    argv: Vec<String>,
}

#[async_trait]
impl Provider for Shell {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Read { call, .. } => Response::Read(self.read(&call).await),
            Request::Prepare { call, .. } => Response::Prepared(self.prepare(call)),
            Request::Commit {
                key,
                intent,
                direction: Direction::Forward,
            } => Response::Committed(self.commit(&key, &intent).await),
            Request::Observe { key, intent, .. } => Response::Observed(observe(&key, &intent)),
            other => request::refusal(&other, "a command cannot be taken back, nor told anything"),
        }
    }
}

impl Shell {
    async fn read(&self, call: &Call) -> Result<Value, Failure> {
        match call.function.as_str() {
            "exists" => machine::exists(&self.path(call.text("path")?)).await,
            "cores" => machine::cores(),
            "free_memory" => machine::free_memory().await,
            _ => Err(call.unknown_function()),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.cwd
            .as_deref()
            .map_or_else(|| path.into(), |cwd| cwd.join(path))
    }

    /// Looks whether the command could start at all; nothing is run.
    fn prepare(&self, call: Call) -> Result<Intent, Failure> {
        if call.function != "run" {
            return Err(call.unknown_function());
        }
        let argv: Vec<String> = call.texts("argv")?.into_iter().map(str::to_owned).collect();
        let program = argv.first().cloned().unwrap_or_default();
        if program.is_empty() || argv.iter().any(|word| word.contains('\0')) {
            let message = "a command needs a program, and words without NUL";
            return Err(Failure::new(FailureKind::Invalid, message));
        }
        self.command(argv.clone()).check()?;
        let observable = match call.flag("idempotent")? {
            Some(true) => Observable::Idempotent,
            _ => Observable::AtMostOnce,
        };
        let forward = serde_json::json!(Forward { argv });
        let target = Target {
            object: format!("command/{program}"),
            uid: None,
            resource_version: None,
            desired: hex(&Sha256::digest(forward.to_string())),
        };
        Ok(Intent {
            call,
            targets: vec![target],
            before: Value::Absent,
            forward,
            inverse: serde_json::Value::Null,
            observable,
        })
    }

    async fn commit(&self, key: &Key, intent: &Intent) -> Outcome {
        let Ok(forward) = serde_json::from_value::<Forward>(intent.forward.clone()) else {
            let message = "the intent is none of a command";
            return Outcome::NotApplied(Failure::new(FailureKind::Refused, message));
        };
        if intent.observable == Observable::Idempotent {
            leftover::end(key).await;
        }
        let command = self.command(forward.argv);
        let name = command.name();
        outcome(
            &name,
            command::run(command, key, &self.secrets).await,
            &self.secrets,
        )
    }

    fn command(&self, argv: Vec<String>) -> Command {
        Command {
            argv,
            cwd: self.cwd.clone(),
            variables: self.variables.clone(),
            limit: self.limit,
        }
    }
}

/// Nobody can see what a command did; whether it still runs can be seen.
fn observe(key: &Key, intent: &Intent) -> Observation {
    if intent.observable == Observable::Idempotent {
        return Observation::NotApplied;
    }
    let object = intent
        .targets
        .first()
        .map_or("command", |target| target.object.as_str());
    let message = match leftover::find(key).first() {
        Some(pid) => format!("{object} is still running as process {pid}"),
        None => format!("{object} is not running; whether it has done its work cannot be seen"),
    };
    Observation::Unknown(Failure::new(FailureKind::Refused, message))
}

/// Only a command that ended by itself with 0 has done its work. One that ended with another status has done
/// something, and one that was ended from outside nobody knows what.
fn outcome(name: &str, ended: Ended, secrets: &Secrets) -> Outcome {
    let last_words = || match secrets.blot(&ended.last_words()) {
        words if words.is_empty() => String::new(),
        words => format!(": {words}"),
    };
    let failure =
        |kind, what: String| Failure::new(kind, format!("`{name}` {what}{}", last_words()));
    match &ended.end {
        End::Exited(0) => Outcome::Applied {
            result: result(&ended, secrets),
            written: Vec::new(),
        },
        End::Exited(status) => Outcome::Unachieved(failure(
            FailureKind::Invalid,
            format!("ended with status {status}"),
        )),
        End::Signalled(signal) => Outcome::Unknown(failure(
            FailureKind::Cancelled,
            format!("was ended by {signal}"),
        )),
        End::TimedOut(limit) => Outcome::Unknown(failure(
            FailureKind::Timeout,
            format!("was ended because it took longer than {limit:?}"),
        )),
        End::NotStarted(failure) => Outcome::NotApplied(failure.clone()),
    }
}

fn result(ended: &Ended, secrets: &Secrets) -> Value {
    let text = |text: &str| Value::String(secrets.blot(text));
    let json = match ended.stdout.cut {
        true => Value::Absent,
        false => serde_json::from_str(&ended.stdout.text).map_or(Value::Absent, Value::Json),
    };
    Value::Record(Fields::from([
        ("status", Value::count(0)),
        ("stdout", text(&ended.stdout.text)),
        ("stderr", text(&ended.stderr.text)),
        ("json", json),
    ]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
