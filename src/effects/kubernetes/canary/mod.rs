//! A canary of a plain Deployment: released dark, opened pod by pod, promoted, or shut.

pub mod gates;
pub mod promote;
pub mod release;
pub mod services;
pub mod shut;
pub mod sight;
pub mod weight;
