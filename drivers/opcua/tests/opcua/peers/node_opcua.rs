//! node-opcua, also encrypted.
