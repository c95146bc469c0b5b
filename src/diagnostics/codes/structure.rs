//! Names, places, structure, people (D02xx, D09xx).

use crate::codes;

codes! {}
