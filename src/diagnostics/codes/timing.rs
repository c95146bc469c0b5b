//! Time, samples, and lints (D05xx, D10xx).

use crate::codes;

codes! {}
