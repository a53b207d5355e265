// A Modbus TCP server made of jsmodbus. Every register holds its address, every third coil and discrete input is on.
//
//     jsmodbus_server.js PORT
//
// It says `ready`, and ends with its standard input.

const net = require("net");
const { server } = require("jsmodbus");

const REGISTERS = 1000;

const registers = Buffer.alloc(2 * REGISTERS);
for (let at = 0; at < REGISTERS; at++) registers.writeUInt16BE(at, 2 * at);

const bits = Buffer.alloc(REGISTERS / 8);
for (let at = 0; at < REGISTERS; at += 3) bits[at >> 3] |= 1 << at % 8;

const listener = new net.Server();
const memory = { holding: Buffer.from(registers), input: registers, coils: Buffer.from(bits), discrete: bits };
new server.TCP(listener, memory);
listener.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
