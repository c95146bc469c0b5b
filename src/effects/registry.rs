//! From the providers of a plan to what answers for them: one for each, by its name in the plan.

use crate::effects::message::Files;
use crate::effects::provider::Provider;
use crate::effects::secret::{Discreet, Environment, Secrets};
use crate::effects::settings::{Settings, Wrong};
use crate::effects::{http, kubernetes, prometheus, shell, slack, webhook};
use crate::plan::{self, LocId, Plan};
use crate::providers::catalog;
use crate::values::fields::Fields;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By the name in the plan.
pub type Providers = BTreeMap<String, Arc<dyn Provider>>;

/// Why a provider cannot be used, known before the run starts. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub provider: String,
    /// Lower-case, no full stop.
    pub message: String,
    pub loc: LocId,
}

/// Builds all, or says everything that is in the way: settings, secrets that are not there, files that cannot be read.
/// Nothing is sent to anybody.
pub fn build(
    plan: &Plan,
    inputs: &Fields,
    environment: &Environment,
) -> Result<Providers, Vec<Problem>> {
    let (secrets, mut problems) = collect_secrets(plan, inputs, environment);
    let files: Files = Arc::new(plan.files.clone());
    let mut providers = Providers::new();
    for provider in &plan.providers {
        let settings = Settings {
            provider,
            inputs,
            environment,
        };
        match instance(settings, &files, &secrets) {
            Ok(instance) => {
                providers.insert(provider.name.clone(), instance);
            }
            Err(message) => note(&mut problems, provider, secrets.blot(&message)),
        }
    }
    match problems.is_empty() {
        true => Ok(providers),
        false => Err(problems),
    }
}

fn instance(
    settings: Settings<'_>,
    files: &Files,
    secrets: &Arc<Secrets>,
) -> Result<Arc<dyn Provider>, Wrong> {
    check_names(settings)?;
    let (files, own) = (Arc::clone(files), Arc::clone(secrets));
    match settings.provider.kind.as_str() {
        "http" => http::build(settings).map(|inner| discreet(inner, secrets)),
        "kubernetes" => kubernetes::build(settings, files).map(|inner| discreet(inner, secrets)),
        "prometheus" => prometheus::build(settings, own).map(|inner| discreet(inner, secrets)),
        "shell" => shell::build(settings, own).map(|inner| discreet(inner, secrets)),
        "slack" => slack::build(settings, files, own).map(|inner| discreet(inner, secrets)),
        "webhook" => webhook::build(settings, files, own).map(|inner| discreet(inner, secrets)),
        other => Err(format!("there is no provider of the kind `{other}`")),
    }
}

fn discreet(inner: impl Provider + 'static, secrets: &Arc<Secrets>) -> Arc<dyn Provider> {
    Arc::new(Discreet {
        inner,
        secrets: Arc::clone(secrets),
    })
}

/// A plan that another version has compiled may have settings that this one would silently not keep.
fn check_names(settings: Settings<'_>) -> Result<(), Wrong> {
    let Some(kind) = catalog::find(&settings.provider.kind) else {
        return Ok(());
    };
    for name in settings.provider.settings.keys() {
        if kind.setting(name).is_none() {
            return Err(format!("`{}` has no setting `{name}`", kind.name));
        }
    }
    Ok(())
}

/// All of them before any provider is built: what one provider is given, another could be told.
fn collect_secrets(
    plan: &Plan,
    inputs: &Fields,
    environment: &Environment,
) -> (Arc<Secrets>, Vec<Problem>) {
    let mut secrets = Secrets::default();
    let mut problems = Vec::new();
    for provider in &plan.providers {
        let settings = Settings {
            provider,
            inputs,
            environment,
        };
        for variable in settings.secret_variables() {
            match environment.secret(variable) {
                Ok(secret) => secrets.add(variable, &secret),
                Err(message) => note(&mut problems, provider, message),
            }
        }
    }
    (Arc::new(secrets), problems)
}

/// Once: a secret that is missing is found when all are collected, and again when its provider is built.
fn note(problems: &mut Vec<Problem>, provider: &plan::Provider, message: String) {
    let problem = Problem {
        provider: provider.name.clone(),
        message,
        loc: provider.loc,
    };
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}
