// An OPC UA server made of node-opcua.
//
//     opcua_server.js PORT [PKI]
//
// PKI is a folder for its certificate, which it makes there; it takes every client's. It offers `none` and all policies that it
// knows. Lines in: `set VALUE` of `s=WTG02.Power`, `sessions`, `subscriptions`. Lines out: `ready`, then `ok` or the number.

const path = require("path");
const readline = require("readline");
const {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  Variant,
  VariantArrayType,
} = require("node-opcua");

const [port, pki] = process.argv.slice(2);

// What the library tells people is not an answer.
console.log = console.error;

function say(answer) {
  process.stdout.write(`${answer}\n`);
}

function certificates(name) {
  return new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(pki, name),
  });
}

function addresses(server) {
  const space = server.engine.addressSpace;
  const lab = space.registerNamespace("http://lab");
  const turbine = lab.addObject({ browseName: "WTG02", nodeId: "s=WTG02", organizedBy: space.rootFolder.objects });
  const variable = (name, dataType, value) =>
    lab.addVariable({
      browseName: name,
      nodeId: `s=WTG02.${name}`,
      componentOf: turbine,
      dataType,
      value: new Variant({ dataType: DataType[dataType], value }),
    });
  variable("Name", "String", "WTG-02");
  variable("Limit", "Int16", 4812);
  lab.addVariable({
    browseName: "Entries",
    nodeId: "s=WTG02.Entries",
    componentOf: turbine,
    dataType: "Int32",
    valueRank: 1,
    arrayDimensions: [4],
    value: new Variant({ dataType: DataType.Int32, arrayType: VariantArrayType.Array, value: new Int32Array([1, 2, 3, 4]) }),
  });
  lab.addAnalogDataItem({
    browseName: "Wind",
    nodeId: "s=WTG02.Wind",
    componentOf: turbine,
    dataType: "Double",
    engineeringUnitsRange: { low: 0, high: 100 },
    value: new Variant({ dataType: DataType.Double, value: 10 }),
  });
  return variable("Power", "Double", 1450.5);
}

async function main() {
  const secure = pki
    ? {
        serverCertificateManager: certificates("server"),
        userCertificateManager: certificates("users"),
        securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
        securityPolicies: [
          SecurityPolicy.None,
          SecurityPolicy.Basic256Sha256,
          SecurityPolicy.Aes128_Sha256_RsaOaep,
          SecurityPolicy.Aes256_Sha256_RsaPss,
        ],
      }
    : { securityModes: [MessageSecurityMode.None], securityPolicies: [SecurityPolicy.None] };
  const server = new OPCUAServer({
    port: Number(port),
    hostname: "127.0.0.1",
    alternateHostname: ["127.0.0.1"],
    host: "127.0.0.1",
    resourcePath: "/lab",
    userManager: { isValidUser: (name, password) => name === "ada" && password === "secret" },
    ...secure,
  });
  await server.initialize();
  const power = addresses(server);
  await server.start();
  say("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, value] = line.split(" ");
    if (command === "set") {
      power.setValueFromSource(new Variant({ dataType: DataType.Double, value: Number(value) }));
      say("ok");
    } else if (command === "sessions") {
      say(server.currentSessionCount);
    } else {
      say(server.currentSubscriptionCount);
    }
  }
}

main();
