//! What a plan may do and seldom means.

pub mod moving_image;
pub mod series;
pub mod silence;
pub mod title_numbers;
