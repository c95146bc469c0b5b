//! Effects, order, undo and rollback (D04xx, D06xx).

use crate::codes;

codes! {}
