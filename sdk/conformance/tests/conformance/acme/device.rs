//! A device that speaks acme: lines of text over TCP.
//!
//! ```text
//! R 7 12,13       unit 7, what do your registers 12 and 13 hold?      7 12,13 3405,99
//! W 7 12 4000     unit 7, put 4000 into your register 12              7 12 4000
//! S 7 12          unit 7, tell me of register 12 from now on          7 12 3405, and again when it changes
//!                 there is no such register                           7 12 !2
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// What the device of `subject.toml` holds.
const REGISTERS: [(u8, u16, i64); 6] =
    [(7, 12, 3405), (7, 13, 4812), (7, 14, 5177), (7, 15, 6098), (8, 20, 7321), (8, 21, 8654)];

type Key = (u8, u16);

#[derive(Clone)]
struct Device {
    registers: Arc<Mutex<HashMap<Key, i64>>>,
    changes: broadcast::Sender<Key>,
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener) {
    let registers = REGISTERS.map(|(unit, register, value)| ((unit, register), value)).into_iter().collect();
    let device = Device { registers: Arc::new(Mutex::new(registers)), changes: broadcast::channel(64).0 };
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(device.clone().talk(stream));
    }
}

impl Device {
    async fn talk(self, stream: TcpStream) -> Option<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut changes = self.changes.subscribe();
        let mut watched = vec![];
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let line = line.ok()??;
                    watched.extend(line.strip_prefix("S ").and_then(key));
                    let answer = self.answer(&line).unwrap_or_else(|| "0 0 !1".into());
                    writer.write_all(format!("{answer}\n").as_bytes()).await.ok()?;
                }
                Ok((unit, register)) = changes.recv() => {
                    if watched.contains(&(unit, register)) {
                        let news = self.answer(&format!("R {unit} {register}"))?;
                        writer.write_all(format!("{news}\n").as_bytes()).await.ok()?;
                    }
                }
            }
        }
    }

    fn answer(&self, line: &str) -> Option<String> {
        let mut words = line.split(' ');
        let (verb, unit, registers) = (words.next()?, words.next()?, words.next()?);
        let keys = registers.split(',').map(|register| key(&format!("{unit} {register}")));
        let keys: Vec<Key> = keys.collect::<Option<_>>()?;
        let mut held = self.registers.lock().expect("no thread panics while it holds this lock");
        if let ("W", Some(value)) = (verb, words.next())
            && let Some(register) = held.get_mut(&keys[0])
        {
            *register = value.parse().ok()?;
            // Nobody may be watching.
            let _ = self.changes.send(keys[0]);
        }
        let values: Option<Vec<String>> = keys.iter().map(|key| held.get(key).map(i64::to_string)).collect();
        let told = values.map_or_else(|| "!2".into(), |values| values.join(","));
        Some(format!("{unit} {registers} {told}"))
    }
}

fn key(words: &str) -> Option<Key> {
    let (unit, register) = words.split_once(' ')?;
    Some((unit.parse().ok()?, register.parse().ok()?))
}
