//! What a command says, bounded: its first and its last words.

use crate::effects::secret::Secrets;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};

const HEAD_BYTES_MAX: usize = 32 << 10;
const TAIL_BYTES_MAX: usize = 32 << 10;

/// Filled while the command runs; what has come so far can be taken at any moment.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

/// As text; bytes that are no UTF-8 are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub text: String,
    /// Whether the middle is missing.
    pub cut: bool,
}

impl Recorder {
    /// Reads until the other end is closed by everybody that has it.
    pub async fn record(self, mut stream: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length) = stream.read(&mut buffer).await {
            match buffer.get(..length) {
                None | Some([]) => return,
                Some(bytes) => self.lock().push(bytes),
            }
        }
    }

    /// A secret that the cut went through leaves no part of it behind.
    pub fn take(&self, secrets: &Secrets) -> Output {
        let Recorded {
            mut head,
            tail,
            dropped,
        } = std::mem::take(&mut *self.lock());
        let mut tail = Vec::from(tail);
        if dropped == 0 {
            head.append(&mut tail);
            return Output {
                text: text(&head),
                cut: false,
            };
        }
        secrets.trim_end(&mut head);
        secrets.trim_start(&mut tail);
        let middle = format!("\n… {dropped} bytes left out …\n");
        Output {
            text: [text(&head), middle, text(&tail)].concat(),
            cut: true,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    fn push(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES_MAX - self.head.len().min(HEAD_BYTES_MAX);
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..over);
        self.dropped += over as u64;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use crate::effects::secret::{Secret, Secrets};
    use crate::effects::shell::output::{HEAD_BYTES_MAX, Recorder, TAIL_BYTES_MAX};

    async fn recorded(bytes: &[u8], secrets: &Secrets) -> crate::effects::shell::output::Output {
        let recorder = Recorder::default();
        recorder.clone().record(bytes).await;
        recorder.take(secrets)
    }

    #[tokio::test]
    async fn short_output_is_whole() {
        let output = recorded(b"a\nb\n", &Secrets::default()).await;
        assert_eq!(output.text, "a\nb\n");
        assert!(!output.cut);
        let full = vec![b'x'; HEAD_BYTES_MAX + TAIL_BYTES_MAX];
        assert!(!recorded(&full, &Secrets::default()).await.cut);
    }

    #[tokio::test]
    async fn long_output_keeps_head_and_tail_and_says_how_much_is_missing() {
        let mut bytes = b"first".to_vec();
        bytes.resize(HEAD_BYTES_MAX + TAIL_BYTES_MAX, b'.');
        bytes.extend(b"last!");
        let output = recorded(&bytes, &Secrets::default()).await;
        assert!(output.cut);
        assert!(output.text.starts_with("first.") && output.text.ends_with(".last!"));
        assert!(output.text.contains("\n… 5 bytes left out …\n"));
    }

    #[tokio::test]
    async fn a_secret_at_the_cut_is_not_shown_in_part() {
        let mut secrets = Secrets::default();
        secrets.add("KEY", &Secret::new("SECRET-0123456789"));
        let mut bytes = vec![b'.'; HEAD_BYTES_MAX - 6];
        bytes.extend(b"SECRET-0123456789");
        bytes.extend(vec![b'.'; TAIL_BYTES_MAX]);
        let output = recorded(&bytes, &secrets).await;
        assert!(
            !output.text.contains("SECRET"),
            "the head shows a part of it"
        );
        let mut bytes = vec![b'.'; HEAD_BYTES_MAX + 100];
        bytes.extend(b"SECRET-0123456789");
        bytes.extend(vec![b'.'; TAIL_BYTES_MAX - 4]);
        let output = recorded(&bytes, &secrets).await;
        assert!(!output.text.contains("6789"), "the tail shows a part of it");
    }
}
