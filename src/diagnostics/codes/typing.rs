//! Types, dimensions, units, metrics, providers (D03xx, D07xx, D08xx).

use crate::codes;

codes! {}
