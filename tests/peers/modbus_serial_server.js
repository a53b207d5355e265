// A Modbus server made of modbus-serial. Every register holds its address, every third coil and discrete input is on.
//
//     modbus_serial_server.js tcp PORT
//     modbus_serial_server.js rtu PATH
//
// It says `ready`, and ends with its standard input.

const { ServerTCP, ServerSerial } = require("modbus-serial");

const REGISTERS = 1000;
const ILLEGAL_ADDRESS = 2;
const ANY_UNIT = 255;

function inside(at) {
    if (at < REGISTERS) return at;
    throw { modbusErrorCode: ILLEGAL_ADDRESS };
}

const holding = Array.from({ length: REGISTERS }, (_, at) => at);
const coils = holding.map((at) => at % 3 === 0);
const memory = {
    getHoldingRegister: (at) => holding[inside(at)],
    getInputRegister: (at) => inside(at),
    getCoil: (at) => coils[inside(at)],
    getDiscreteInput: (at) => inside(at) % 3 === 0,
    setRegister: (at, word) => (holding[inside(at)] = word),
    setCoil: (at, on) => (coils[inside(at)] = on),
    readDeviceIdentification: () => ({ 0: "modbus-serial", 1: "ServerTCP", 2: "8" }),
};

const [form, where] = process.argv.slice(2);
const server =
    form === "rtu"
        ? new ServerSerial(memory, { path: where, baudRate: 115200, unitID: ANY_UNIT, interval: 5 })
        : new ServerTCP(memory, { host: "127.0.0.1", port: Number(where), unitID: ANY_UNIT });
server.on("initialized", () => console.log("ready"));
server.on("socketError", (error) => console.error(error));
process.stdin.resume().on("end", () => process.exit());
