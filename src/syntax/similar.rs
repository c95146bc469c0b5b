//! Which known word may have been meant.

/// The known word nearest to a word that is not known, if one is near enough to be a slip of the finger.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let length = word.chars().count();
    // Words of two letters are near to too many.
    if !(3..=LONGEST).contains(&length) {
        return None;
    }
    let slips_max = if length < 5 { 1 } else { 2 };
    known
        .into_iter()
        .filter(|known| *known != word)
        .map(|known| (slips(word, known), known))
        .filter(|(slips, known)| *slips <= slips_max && (length > 3 || is_swap(word, known)))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, known)| known)
}

/// In a word of three letters, only a swap is a slip: too many such words are near each other.
fn is_swap(a: &str, b: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(a) == sorted(b)
}

/// No word that is known is longer.
const LONGEST: usize = 64;

/// How many letters to add, drop, replace or swap with their neighbour (Damerau–Levenshtein, optimal alignment).
fn slips(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut least = (cell(&above, j) + usize::from(x != y))
                .min(cell(&above, j + 1) + 1)
                .min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped && x != y {
                least = least.min(cell(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_in_a_short_word_and_two_in_a_long_one() {
        let known = ["phase", "check", "let", "threshold"];
        assert_eq!(nearest("phse", known), Some("phase"));
        assert_eq!(nearest("hpase", known), Some("phase"));
        assert_eq!(nearest("treshhold", known), Some("threshold"));
        assert_eq!(nearest("elt", known), Some("let"));
        assert_eq!(nearest("lex", known), None);
        assert_eq!(nearest("metric", known), None);
        assert_eq!(nearest("le", known), None);
    }

    #[test]
    fn slips_are_counted() {
        assert_eq!(slips("", "abc"), 3);
        assert_eq!(slips("check", "chekc"), 1);
        assert_eq!(slips("check", "check"), 0);
        assert_eq!(slips("within", "wihtn"), 2);
    }
}
