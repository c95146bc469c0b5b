//! What the provider keeps in an intent: what it is going to do, and how to undo it.

use crate::effects::kubernetes::change::{Change, Draft, How, Undo};
use crate::effects::kubernetes::client::Force;
use crate::effects::kubernetes::failure::malformed;
use crate::providers::request::{Call, Failure, Intent, Observable, Target};
use crate::units::amount::Nano;
use crate::values::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The way forward.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Forward {
    Objects {
        changes: Vec<Change>,
        shown: Shown,
    },
    Namespace {
        name: String,
    },
    Weight(Weight),
    Promote {
        release: Release,
        change: Box<Change>,
    },
}

/// The way back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Inverse {
    /// In the order of the changes; undone in the opposite one.
    Objects { undos: Vec<Undo>, guard: Guard },
    /// All traffic goes to the old version.
    Shut(Release),
}

/// What has to be true for an undo to be an improvement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    None,
    /// The selector that is brought back has to take pods that are ready.
    ReadyBehind,
    /// The traffic of this release has to be given back first.
    Shut(Release),
}

/// What `NAME.field` of the step reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Release(Release),
    /// The name of the Deployment.
    Rollout(String),
    /// The name of the Service.
    Switch(String),
}

/// A release: from the step that applied it to the stages that move its traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Of the change that applied it; it stands on the Deployment beside.
    pub key: String,
    /// Empty where the manifests have none.
    pub deployment: String,
    /// Empty where all traffic went to it at once.
    pub canary: String,
    pub path: String,
    pub force: Force,
    /// The Services whose traffic moves.
    pub services: Vec<String>,
    /// The pod template of the Deployment that stays, in JSON, as the release found it; empty without a canary.
    #[serde(default)]
    pub was: String,
}

/// One stage of a canary.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Weight {
    pub release: Release,
    pub canary_uid: String,
    /// Pods of the old version, on which the arithmetic rests.
    pub stable: u32,
    /// Pods of the new one that are to be open.
    pub pods: u32,
    pub weight: Nano,
    pub tolerance: Nano,
}

impl Weight {
    /// At 100% the Services leave the old pods out.
    pub fn is_all(&self) -> bool {
        self.weight.0 >= crate::units::amount::NANO
    }
}

pub fn read<T: DeserializeOwned>(json: &Json) -> Result<T, Failure> {
    serde_json::from_value(json.clone())
        .map_err(|error| malformed(format!("the intent is not one of this provider: {error}")))
}

pub fn write<T: Serialize>(part: &T) -> Result<Json, Failure> {
    serde_json::to_value(part)
        .map_err(|error| malformed(format!("the intent cannot be written down: {error}")))
}

/// The intent of a change of objects.
pub struct Plan {
    pub call: Call,
    pub before: Value,
    pub forward: Forward,
    pub inverse: Option<Inverse>,
    pub targets: Vec<Target>,
}

impl Plan {
    pub fn intent(self) -> Result<Intent, Failure> {
        Ok(Intent {
            call: self.call,
            targets: self.targets,
            before: self.before,
            forward: write(&self.forward)?,
            inverse: match &self.inverse {
                None => Json::Null,
                Some(inverse) => write(inverse)?,
            },
            observable: Observable::Yes,
        })
    }
}

/// Separates what is done from how it is undone; what stays as it is needs no undo.
pub fn split(drafts: Vec<Draft>) -> (Vec<Change>, Vec<Undo>, Vec<Target>) {
    let (mut changes, mut undos, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for draft in drafts {
        if draft.change.how != How::Keep {
            targets.push(draft.change.target());
            undos.push(draft.undo);
        }
        changes.push(draft.change);
    }
    (changes, undos, targets)
}
