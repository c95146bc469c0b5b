//! What touches the world: one file or folder for each provider. The only place with tokio, kube, reqwest, clocks,
//! files and the environment.

pub mod clock;
pub mod provider;
pub mod signals;
pub mod store;
pub mod twin;
