//! What touches the world: one file or folder for each provider. The only place with tokio, kube, reqwest, clocks,
//! files and the environment.

pub mod admission;
pub mod answer;
pub mod clock;
pub mod delivery;
pub mod driver;
pub mod http;
pub mod inputs;
pub mod kubernetes;
pub mod message;
pub mod prometheus;
pub mod provider;
pub mod registry;
pub mod secret;
pub mod settings;
pub mod shell;
pub mod signals;
pub mod slack;
pub mod store;
pub mod target;
pub mod twin;
pub mod webhook;
pub mod wire;
pub mod world;
