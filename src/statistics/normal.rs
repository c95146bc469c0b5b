//! The normal distribution.

/// How likely a standard normal value is at least `z`.
pub fn above(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value that a standard normal one exceeds with a probability of `tail`; for a tail of at most one half.
///
/// The root of [`above`], halved until the float does not change: no table of coefficients, and exact to the last bits.
pub fn exceeded(tail: f64) -> f64 {
    // Beyond it the tail is smaller than any that is asked for.
    const FAR: f64 = 38.0;
    let (mut low, mut high) = (0.0, FAR);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        match above(middle) > tail {
            true => low = middle,
            false => high = middle,
        }
    }
}
