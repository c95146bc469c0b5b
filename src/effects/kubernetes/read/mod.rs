//! What the cluster answers when it is asked. Nothing here changes anything.

pub mod access;
pub mod cluster;
pub mod events;
pub mod workload;

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::args::Args;
use crate::effects::kubernetes::failure::refusal;
use crate::providers::request::{Call, Failure};
use crate::values::{Instant, Value};

/// `at` is the instant of the sample; the cluster is asked about now.
pub async fn answer(cluster: &Kubernetes, call: &Call, at: Instant) -> Result<Value, Failure> {
    let (api, args) = (&cluster.api, Args::of(call));
    match call.function.as_str() {
        "version" => cluster::version(api).await,
        "nodes" => cluster::nodes(api).await,
        "storage_classes" => cluster::storage_classes(api).await,
        "namespace" => cluster::namespace(api, args.text("name")?).await,
        "quotas" => cluster::quotas(api).await,
        "deployment" => workload::deployment(api, args.text("name")?).await,
        "autoscaler" => workload::autoscaler(api, args.text("name")?).await,
        "service" => workload::service(api, args.text("name")?).await,
        "pods" => workload::pods(api, args.optional_text("selector")?).await,
        "revision_pods" => {
            let release = args.record("release")?;
            workload::revision_pods(api, release.text("deployment")?, args.text("scope")?).await
        }
        "events" => events::count(api, args, at).await,
        "has" => access::has(cluster, args.text("object")?).await,
        "can" => access::can(cluster, args).await,
        other => Err(refusal(format!(
            "a kubernetes provider has no `{other}` to read"
        ))),
    }
}
