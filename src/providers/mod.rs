//! Providers as data: what can be asked of a system, with types, units, effects, undo and rights.
//!
//! The checker, the plan, the reference and the runners all read these declarations; nothing about a provider is
//! written a second time. What *carries them out* lives in `effects` (real) and in `simulate` (twin), behind the
//! same [`request::Request`] and [`request::Response`].

pub mod argument;
pub mod catalog;
pub mod http;
pub mod kubernetes;
pub mod manifest;
pub mod prometheus;
pub mod request;
pub mod shell;
pub mod slack;
pub mod webhook;

use crate::units::Dim;
use crate::values::{Field, Freshness, Record, Type, Value};
use std::sync::Arc;

/// What the engine calls to carry a canary, on whatever declares all three.
pub const CANARY_WEIGHT: &str = "canary_weight";
pub const CANARY_PROMOTE: &str = "canary_promote";
pub const REVISION_PODS: &str = "revision_pods";
pub const OF_A_CANARY: [&str; 3] = [CANARY_WEIGHT, CANARY_PROMOTE, REVISION_PODS];

/// One kind of provider: `kubernetes`, `prometheus`, …
#[derive(Clone, Debug)]
pub struct ProviderKind {
    pub name: &'static str,
    pub doc: &'static str,
    pub settings: Vec<Setting>,
    pub functions: Vec<Function>,
    /// Default time limit of one read, in nanoseconds; the setting `timeout` replaces it where there is one.
    pub timeout_ns: i64,
}

/// `{ namespace: "x0tta6bl4" }`
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub ty: Type,
    pub need: Need,
    /// An address or a secret: differs between environments, is no part of the digest.
    pub place: Place,
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Part of the plan's digest.
    Fixed,
    /// Differs between staging and production.
    Varies,
}

/// `cluster.deployment("api")`; one without parameters may be written without brackets.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: &'static str,
    pub doc: &'static str,
    pub effect: Effect,
    pub params: Vec<Param>,
    pub result: Type,
    /// What `NAME.before` of a step reads; `None` where there is nothing to read.
    pub before: Option<Type>,
    pub undo: Undo,
    /// What the credentials must allow, for messages and (later) for RBAC.
    pub rights: Vec<Right>,
    /// How far back a single answer looks, in nanoseconds; 0 for the present.
    pub lookback_ns: i64,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub name: &'static str,
    /// Of each argument where there may be many.
    pub ty: Type,
    pub need: Need,
    /// Variadic: takes all further positional arguments, as a list.
    pub rest: Rest,
    pub default: Option<Value>,
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    One,
    Many,
}

/// What a function does to the world; the strongest orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Says something to somebody; cannot be unsaid.
    Tell,
    /// Changes an object; only in a `step`. The objects are named by [`Function::objects`].
    Write,
    /// A command whose inside nobody sees; only in a `step`.
    Run,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Nothing to undo.
    None,
    /// From the object as it was before.
    Derived,
    /// There is none: the plan has to write `undo`, `keep` or `irreversible`.
    Written,
}

/// One rule of RBAC: `get` on `apps/deployments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Right {
    pub verb: &'static str,
    /// `""` is the core group.
    pub group: &'static str,
    /// With the subresource: `pods/status`.
    pub resource: &'static str,
}

impl ProviderKind {
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// What a `notify` calls.
    pub fn tell(&self) -> Option<&Function> {
        self.functions
            .iter()
            .find(|function| function.effect == Effect::Tell)
    }
}

impl Setting {
    pub fn required(name: &'static str, ty: Type, place: Place, doc: &'static str) -> Setting {
        Setting {
            name,
            ty,
            need: Need::Required,
            place,
            doc,
        }
    }

    pub fn optional(name: &'static str, ty: Type, place: Place, doc: &'static str) -> Setting {
        Setting {
            need: Need::Optional,
            ..Setting::required(name, ty, place, doc)
        }
    }
}

impl Function {
    pub fn read(name: &'static str, result: Type, doc: &'static str) -> Function {
        Function {
            name,
            doc,
            effect: Effect::Read,
            params: Vec::new(),
            result,
            before: None,
            undo: Undo::None,
            rights: Vec::new(),
            lookback_ns: 0,
        }
    }

    pub fn write(name: &'static str, result: Type, undo: Undo, doc: &'static str) -> Function {
        Function {
            effect: Effect::Write,
            undo,
            ..Function::read(name, result, doc)
        }
    }

    pub fn tell(name: &'static str, doc: &'static str) -> Function {
        Function {
            effect: Effect::Tell,
            ..Function::read(name, nothing(), doc)
        }
    }

    pub fn run(name: &'static str, result: Type, doc: &'static str) -> Function {
        Function {
            effect: Effect::Run,
            undo: Undo::Written,
            ..Function::read(name, result, doc)
        }
    }

    pub fn param(mut self, name: &'static str, ty: Type, doc: &'static str) -> Function {
        self.params.push(Param {
            name,
            ty,
            need: Need::Required,
            rest: Rest::One,
            default: None,
            doc,
        });
        self
    }

    pub fn optional(mut self, name: &'static str, ty: Type, doc: &'static str) -> Function {
        self = self.param(name, ty, doc);
        if let Some(param) = self.params.last_mut() {
            param.need = Need::Optional;
        }
        self
    }

    /// All further positional arguments, each of them a `ty`.
    pub fn rest(mut self, name: &'static str, ty: Type, doc: &'static str) -> Function {
        self = self.param(name, ty, doc);
        if let Some(param) = self.params.last_mut() {
            param.rest = Rest::Many;
        }
        self
    }

    /// Optional, with the value that stands for it.
    pub fn default(
        mut self,
        name: &'static str,
        ty: Type,
        value: Value,
        doc: &'static str,
    ) -> Function {
        self = self.optional(name, ty, doc);
        if let Some(param) = self.params.last_mut() {
            param.default = Some(value);
        }
        self
    }

    pub fn before(mut self, ty: Type) -> Function {
        self.before = Some(ty);
        self
    }

    pub fn right(
        mut self,
        verb: &'static str,
        group: &'static str,
        resource: &'static str,
    ) -> Function {
        self.rights.push(Right {
            verb,
            group,
            resource,
        });
        self
    }
}

/// A result type with named fields.
pub fn record(name: &'static str, fields: Vec<Field>) -> Type {
    Type::Record(Arc::new(Record { name, fields }))
}

/// A field that is asked anew at each sample.
pub fn live(name: &'static str, ty: Type, doc: &'static str) -> Field {
    Field {
        name,
        ty,
        freshness: Freshness::Live,
        doc,
    }
}

/// A field that is known once.
pub fn fixed(name: &'static str, ty: Type, doc: &'static str) -> Field {
    Field {
        freshness: Freshness::Fixed,
        ..live(name, ty, doc)
    }
}

/// The result of a function that gives none.
pub fn nothing() -> Type {
    record("nothing", Vec::new())
}

pub fn count() -> Type {
    Type::Quantity(Dim::Count)
}

pub fn duration() -> Type {
    Type::Quantity(Dim::Duration)
}
