"""Makes a certificate of an OPC UA application, signed by itself, and its key.

    opcua_certificate.py CERT_DER KEY_PEM URI HOST FROM_DAYS UNTIL_DAYS

The days are counted from now; both may be in the past.
"""

import datetime
import ipaddress
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

cert, key_file, uri, host, begin, end = sys.argv[1:]
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri.split(":")[-1])])
now = datetime.datetime.now(datetime.timezone.utc)
try:
    place = x509.IPAddress(ipaddress.ip_address(host))
except ValueError:
    place = x509.DNSName(host)
usage = dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False)
usage |= dict.fromkeys(
    ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_cert_sign"), True
)
made = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now + datetime.timedelta(days=int(begin)))
    .not_valid_after(now + datetime.timedelta(days=int(end)))
    .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), place]), critical=False)
    .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
    .add_extension(x509.KeyUsage(**usage), critical=False)
    .add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    .sign(key, hashes.SHA256())
)
Path(cert).write_bytes(made.public_bytes(serialization.Encoding.DER))
pem = key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
Path(key_file).write_bytes(pem)
