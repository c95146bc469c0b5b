//! Asking Prometheus directly, beside the code under test.

use std::sync::Once;
use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;

/// The value of each series that a query gives now, or why Prometheus does not say.
pub fn query(cluster: &Cluster, query: &str) -> Result<Vec<f64>, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let url = format!("{}/api/v1/query", cluster.prometheus.trim_end_matches('/'));
    let answer: Value = runtime().block_on(async {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()?;
        let answer = client.get(url).query(&[("query", query)]).send().await?;
        answer.error_for_status()?.json().await
    })?;
    let series = answer["data"]["result"].as_array().unwrap();
    Ok(series
        .iter()
        .map(|one| one["value"][1].as_str().unwrap().parse().unwrap())
        .collect())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
