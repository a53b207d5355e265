//! Bytes to and from the other end.

use crate::config::{DataBits, Parity, SerialOptions};
use serial2_tokio::rs4xx::Rs485Config;
use serial2_tokio::{CharSize, FlowControl, SerialPort, Settings, StopBits};
use std::io;
use std::path::Path;
use tokio::net::TcpStream;

/// The most that one read takes in.
const READ_BYTES: usize = 1024;
/// What is not one byte of this much thrown away is a stream without end.
const DISCARD_BYTES_MAX: usize = 64 * 1024;

/// An open connection or port.
pub(super) enum Stream {
    Tcp(TcpStream),
    Serial(SerialPort),
}

impl Stream {
    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        // A question is one small write: it must not wait for the next.
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    /// Opens a serial port.
    pub(super) fn serial(path: &Path, options: &SerialOptions) -> io::Result<Self> {
        let port = SerialPort::open(path, |mut settings: Settings| {
            settings.set_raw();
            settings.set_baud_rate(options.baud)?;
            settings.set_char_size(match options.data_bits {
                DataBits::Seven => CharSize::Bits7,
                DataBits::Eight => CharSize::Bits8,
            });
            settings.set_parity(match options.parity {
                Parity::None => serial2_tokio::Parity::None,
                Parity::Even => serial2_tokio::Parity::Even,
                Parity::Odd => serial2_tokio::Parity::Odd,
            });
            settings.set_stop_bits(if options.stop_bits == 2 { StopBits::Two } else { StopBits::One });
            settings.set_flow_control(FlowControl::None);
            Ok(settings)
        })?;
        if let Some(rs485) = options.rs485 {
            let mut config = Rs485Config::new();
            config.set_delay_before_send(rs485.before);
            config.set_delay_after_send(rs485.after);
            config.set_invert_rts(rs485.invert);
            config.set_full_duplex(rs485.full_duplex);
            config.set_bus_termination(rs485.terminate);
            port.set_rs4xx_mode(config)?;
        }
        Ok(Stream::Serial(port))
    }

    /// Waits for bytes and appends what there is. May be dropped at any time without losing any.
    pub(super) async fn read(&self, received: &mut Vec<u8>) -> io::Result<()> {
        let mut bytes = [0; READ_BYTES];
        let count = match self {
            Stream::Serial(port) => port.read(&mut bytes).await?,
            Stream::Tcp(stream) => loop {
                match stream.try_read(&mut bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.readable().await?,
                    count => break count?,
                }
            },
        };
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the other end closed the connection"));
        }
        received.extend(&bytes[..count]);
        Ok(())
    }

    /// Sends all of it.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let stream = match self {
            Stream::Serial(port) => return port.write_all(bytes).await,
            Stream::Tcp(stream) => stream,
        };
        while !bytes.is_empty() {
            match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
                count => bytes = &bytes[count?..],
            }
        }
        Ok(())
    }

    /// Throws away what has come unasked; says whether anything had.
    pub(super) async fn discard(&self) -> io::Result<bool> {
        let mut discarded = vec![];
        loop {
            tokio::select! {
                biased;
                read = self.read(&mut discarded) => read?,
                () = std::future::ready(()) => return Ok(!discarded.is_empty()),
            }
            if discarded.len() > DISCARD_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the other end sends without being asked"));
            }
        }
    }
}
