//! Commands on the machine of the runner. A command is a list of words; no shell ever reads them.

use crate::providers::{Function, Place, ProviderKind, Setting, count, duration, fixed, record};
use crate::units::Dim;
use crate::values::{Type, Value};

const SECOND_NS: i64 = 1_000_000_000;

pub fn kind() -> ProviderKind {
    ProviderKind {
        name: "shell",
        doc: "Commands on the machine that carries the plan out. Nothing of its environment is handed on but `PATH` \
              and what is named.",
        settings: settings(),
        functions: vec![run(), exists(), cores(), free_memory()],
        timeout_ns: 10 * SECOND_NS,
    }
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::optional(
            "cwd",
            Type::String,
            Place::Varies,
            "Where commands run; the folder of the runner where it is not written.",
        ),
        Setting::optional(
            "env",
            Type::Map(Type::String.into()),
            Place::Varies,
            "Variables of the commands.",
        ),
        Setting::optional(
            "inherit",
            Type::list(Type::String),
            Place::Varies,
            "Names of variables that are handed on, such as `HOME` or `KUBECONFIG`.",
        ),
        Setting::optional(
            "secrets",
            Type::list(Type::String),
            Place::Varies,
            "Names of variables that are handed on and whose values are never shown.",
        ),
        Setting::optional(
            "timeout",
            duration(),
            Place::Fixed,
            "How long one command may take, within the time limit of its step.",
        ),
    ]
}

fn run() -> Function {
    let result = record(
        "command",
        vec![
            fixed(
                "status",
                count(),
                "Its exit status; a command that gives another than 0 has failed.",
            ),
            fixed("stdout", Type::String, "Head and tail where it is long."),
            fixed("stderr", Type::String, "Head and tail where it is long."),
            fixed(
                "json",
                Type::Json,
                "Its output; no value where it is no JSON.",
            ),
        ],
    );
    Function::run(
        "run",
        result,
        "Runs a command and everything that it starts; what is left of it when it ends is ended too. \
         `DEPLOYC_KEY` in its environment names the change.",
    )
    .rest("argv", Type::String, "The program and its arguments.")
    .default(
        "idempotent",
        Type::Bool,
        Value::Bool(false),
        "Whether it may run again when nobody knows whether it ran; otherwise a person is asked.",
    )
}

fn exists() -> Function {
    Function::read("exists", Type::Bool, "Whether there is a file or a folder.").param(
        "path",
        Type::String,
        "From `cwd`.",
    )
}

fn cores() -> Function {
    Function::read(
        "cores",
        Type::Quantity(Dim::Cores),
        "Processor cores that the runner may use.",
    )
}

fn free_memory() -> Function {
    Function::read(
        "free_memory",
        Type::Quantity(Dim::Bytes),
        "Memory that a new process could have without swapping.",
    )
}
