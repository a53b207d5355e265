//! Python's `urllib` as a device that sends, and `hmac` to sign it.

use super::python;
use crate::hooks::{Desk, warm};
use serde_json::json;
use tokio::process::Command;

const SCRIPT: &str = r#"
import hashlib, hmac, sys, urllib.error, urllib.request
port, secret, body = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
for attempt in range(2):
    signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "Idempotency-Key": "7f", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hook", body, headers, method="POST")
    try:
        print(urllib.request.urlopen(request, timeout=20).status)
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode().strip())
"#;

async fn send(port: u16, secret: &str, body: &str) -> String {
    let mut command = Command::new(python());
    let sent = command.args(["-c", SCRIPT, &port.to_string(), secret, body]).output().await;
    let sent = sent.expect("Python; tests/run installs it");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    String::from_utf8(sent.stdout).expect("plain text")
}

#[tokio::test]
async fn what_python_sends_and_signs_is_told_once() {
    let device = json!({
        "hmac": { "header": "X-Hub-Signature-256", "secret": "s3cret", "prefix": "sha256=" },
        "idempotency": "Idempotency-Key",
    });
    let desk = Desk::new(json!({ "timeout": "5s" }), device).await;
    assert_eq!(send(desk.port, "s3cret", r#"{"temperature": 21.5}"#).await, "204\n204\n");
    assert_eq!(desk.told(), warm());
    let refused = "401 the signature is missing or wrong\n";
    assert_eq!(send(desk.port, "guess", r#"{"temperature": 99.5}"#).await, refused.repeat(2));
    assert_eq!(desk.told(), []);
}
