//! End-to-end tests on a real Kubernetes cluster and a real Prometheus.
//!
//! They are a target of their own, behind the feature `cluster`, so that plain `cargo test` needs
//! neither root nor a cluster, and skips nothing. `DEPLOYC_TEST_KUBECONFIG` and
//! `DEPLOYC_TEST_PROMETHEUS` name a cluster that exists; else one is brought up by `tests/cluster/up`.
//!
//! What a test asserts it reads from the cluster by kubectl, or from the load generator's record:
//! never by the code under test.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test ends by a panic, and it is all about clocks, files and processes"
)]

mod cluster;
#[allow(dead_code, reason = "what the other suites use of it")]
#[path = "../contract"]
mod contract {
    pub mod ask;
    pub mod kubernetes;
    pub mod prometheus;
    pub mod server;
}
mod e2e;
mod kubernetes_canary;
mod kubernetes_contract;
mod load;
mod namespace;
mod observe;
mod prometheus;
mod prometheus_contract;
mod proxy;
mod smoke;
mod wait;
mod workload;
