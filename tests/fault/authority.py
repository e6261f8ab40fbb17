"""An authority of the test's own, and the certificates that it signs."""
import datetime
import subprocess

CONFIG = """
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = empty
[empty]
"""

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """`file` is what a client has to trust."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        (folder / "ca.cnf").write_text(CONFIG)
        (folder / "index.txt").touch()
        self.file = folder / "ca.pem"
        self.openssl("req", "-x509", *KEY, "-subj", "/CN=Authority of a test",
                     "-addext", "basicConstraints=critical,CA:TRUE",
                     "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True,
                       capture_output=True)

    def certificate(self, name, alternatives, days=(-1, 1)):
        """A file with certificate and key, good from and until so many days
        from today."""
        self.openssl("req", *KEY, "-config", "ca.cnf", "-subj", f"/CN={name}",
                     "-addext", f"subjectAltName={alternatives}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        today = datetime.datetime.now(datetime.timezone.utc)
        first, last = (
            (today + datetime.timedelta(n)).strftime("%Y%m%d%H%M%SZ")
            for n in days)
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-notext",
                     "-startdate", first, "-enddate", last, "-cert", "ca.pem",
                     "-keyfile", "ca.key", "-in", f"{name}.csr",
                     "-out", f"{name}.crt")
        both = self.folder / f"{name}.pem"
        both.write_text((self.folder / f"{name}.crt").read_text()
                        + (self.folder / f"{name}.key").read_text())
        return both
