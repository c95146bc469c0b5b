//! Whether one sample of measurements is worse than another: the named tests of the field, and nothing of plans.
//!
//! - Windows: the Mann–Whitney U test (1947) with midranks. Up to [`ranks::EXACT_MAX`] values its distribution is counted
//!   out over all ways to deal the very values that were seen, so ties are exact too; above, the normal approximation with
//!   correction for ties and for continuity. The estimate is that of Hodges and Lehmann (1963), the interval that of Moses.
//! - Proportions whose counts are known: Newcombe's hybrid score interval (1998, method 10), made of Wilson's (1927), in
//!   the form of Zou and Donner (MOVER, 2008), which takes a factor too.
//! - Several comparisons share one confidence by Holm's method (1979).
//!
//! **Invariant:** the same numbers give the same result on every machine. Sums, products, quotients and square roots are
//! exact by IEEE 754; what is not (`log`, `erfc`, `asin`) comes from the crate `libm`, never from the system.

pub mod baseline;
pub mod holm;
pub mod normal;
pub mod proportions;
pub mod ranks;
pub mod shift;
