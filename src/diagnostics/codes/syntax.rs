//! Text that cannot be read or parsed (D01xx).

use crate::codes;

codes! {}
