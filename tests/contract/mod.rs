//! What a provider promises, whoever stands behind it: each suite takes a *bench* and runs on the real implementation
//! and on its twin in the simulation, so that the two cannot come apart. What only the real one can meet — servers that
//! lie, certificates, processes that do not end — stands behind the shared cases of each file.

pub mod ask;
pub mod certificate;
pub mod compiled;
pub mod http;
pub mod kubernetes;
pub mod kubernetes_faults;
pub mod prometheus;
pub mod prometheus_faults;
pub mod server;
pub mod shell;
pub mod slack;
pub mod twin;
pub mod twin_kubernetes;
