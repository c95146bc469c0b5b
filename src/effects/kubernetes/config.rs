//! From a kubeconfig, or the service account of a pod, to a client.
#![allow(
    clippy::disallowed_methods,
    reason = "a kubeconfig is named by the environment, and certificates are compared with the clock"
)]

use crate::effects::clock::Clock;
use crate::effects::kubernetes::certificate;
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::{failure, invalid};
use crate::providers::request::{Failure, FailureKind};
use crate::values::show;
use futures::FutureExt;
use k8s_openapi::ByteString;
use kube::Config;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which cluster, from the settings of a provider.
#[derive(Clone, Debug)]
pub struct Target {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub namespace: Option<String>,
    /// For one answer of the API server.
    pub timeout: Duration,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// Reads what there is to read; nothing is sent yet.
pub fn connect(target: &Target) -> Result<Api, Failure> {
    let mut config = config(target)?;
    // Retries are counted and reported here, and a request that may have been carried out is never sent again.
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    let namespace = target.namespace.clone();
    let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
    let address = config.cluster_url.to_string();
    let address = address.trim_end_matches('/').to_owned();
    not_expired(&config.auth_info)?;
    let client = kube::Client::try_from(config)
        .map_err(|error| invalid(format!("no client for {address}: {error}")))?;
    Ok(Api::new(client, address, namespace, target.timeout))
}

fn config(target: &Target) -> Result<Config, Failure> {
    let Some((kubeconfig, from)) = kubeconfig(target)? else {
        return Config::incluster().map_err(|error| {
            invalid(format!(
                "the service account of this pod cannot be used: {error}"
            ))
        });
    };
    let context = target
        .context
        .as_ref()
        .or(kubeconfig.current_context.as_ref());
    let Some(context) = context.filter(|name| !name.is_empty()).cloned() else {
        let message = format!(
            "{from} has no current context; the contexts are {}",
            contexts(&kubeconfig)
        );
        return Err(invalid(message));
    };
    if !kubeconfig
        .contexts
        .iter()
        .any(|known| known.name == context)
    {
        let message = format!(
            "{from} has no context `{context}`; there are {}",
            contexts(&kubeconfig)
        );
        return Err(invalid(message));
    }
    let options = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    // Asynchronous by its signature only: files are read where it stands.
    let loaded = Config::from_custom_kubeconfig(kubeconfig, &options).now_or_never();
    let wrong = |why: String| {
        invalid(format!(
            "context `{context}` of {from} cannot be used: {why}"
        ))
    };
    match loaded {
        Some(Ok(config)) => Ok(config),
        Some(Err(error)) => Err(wrong(error.to_string())),
        None => Err(wrong("it takes more than reading files".to_owned())),
    }
}

/// A kubeconfig and where it is from; `None` inside a pod that has none.
fn kubeconfig(target: &Target) -> Result<Option<(Kubeconfig, String)>, Failure> {
    if let Some(path) = &target.kubeconfig {
        let path = at_home(path);
        return Ok(Some((read(&path)?, format!("`{}`", path.display()))));
    }
    let named = Kubeconfig::from_env();
    let named = named.map_err(|error| invalid(format!("KUBECONFIG cannot be used: {error}")))?;
    if let Some(kubeconfig) = named {
        return Ok(Some((
            kubeconfig,
            "the kubeconfig that KUBECONFIG names".to_owned(),
        )));
    }
    let default = at_home(Path::new("~/.kube/config"));
    if default.exists() {
        return Ok(Some((read(&default)?, format!("`{}`", default.display()))));
    }
    if target.context.is_none() && std::env::var_os(IN_CLUSTER).is_some() {
        return Ok(None);
    }
    Err(invalid(
        "no kubeconfig: no setting `kubeconfig`, no KUBECONFIG, no `~/.kube/config`, and this is no pod of a cluster",
    ))
}

fn read(path: &Path) -> Result<Kubeconfig, Failure> {
    let shown = path.display();
    let text = std::fs::read(path)
        .map_err(|error| invalid(format!("the kubeconfig `{shown}` cannot be read: {error}")))?;
    if String::from_utf8_lossy(&text).trim().is_empty() {
        return Err(invalid(format!("the kubeconfig `{shown}` is empty")));
    }
    // Read again by the library, which makes the paths inside it whole.
    Kubeconfig::read_from(path).map_err(|error| {
        invalid(format!(
            "`{shown}` is no kubeconfig: {}",
            first_line(&error.to_string())
        ))
    })
}

fn contexts(kubeconfig: &Kubeconfig) -> String {
    let names: Vec<String> = kubeconfig
        .contexts
        .iter()
        .map(|known| format!("`{}`", known.name))
        .collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// The server would only say that it does not know who this is.
fn not_expired(user: &AuthInfo) -> Result<(), Failure> {
    let Some(expires) = certificate_of(user).and_then(|pem| certificate::expires(&pem)) else {
        return Ok(());
    };
    if Clock::start().now() <= expires {
        return Ok(());
    }
    let message = format!(
        "the client certificate of the kubeconfig expired on {}",
        show::instant(expires)
    );
    Err(failure(FailureKind::Denied, message))
}

fn certificate_of(user: &AuthInfo) -> Option<Vec<u8>> {
    if let Some(data) = &user.client_certificate_data {
        let data: ByteString = serde_json::from_value(json!(data)).ok()?;
        return Some(data.0);
    }
    std::fs::read(user.client_certificate.as_ref()?).ok()
}
