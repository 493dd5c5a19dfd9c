"""Kafka as one KRaft node, from Maven Central."""

import base64
import os
import re
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

# kafka-python carries no type information.
from kafka import KafkaAdminClient  # type: ignore[import-untyped]

from scripts.local_services.base import Launch, ServiceError
from scripts.local_services.packages import fresh_folder, program, run

_VERSION = "4.1.1"
_JAVA_AT_LEAST = 17
_CHECK_MS = 3_000

# Without a binding of SLF4J the broker says nothing, not even why it ended.
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>driftflow</groupId><artifactId>services</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{_VERSION}</version>
  </dependency><dependency>
    <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
  </dependency></dependencies>
</project>
"""

# One broker replicates nothing, and consumers of tests need not wait for companions. The internal topics have
# 50 partitions by default, which a single node only spends time on. A topic that nobody created is a mistake.
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CLIENT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENT://127.0.0.1:{client}
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
"""


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else program("java", package="default-jre-headless")
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServiceError(f"{java} does not run ({error}): mend JAVA_HOME or install a Java") from error
    version = re.search(r'version "(\d+)', told.stderr)
    if version is None or int(version[1]) < _JAVA_AT_LEAST:
        first = (told.stderr.splitlines() or ["nothing"])[0]
        raise ServiceError(
            f"{java} says {first!r}: Kafka {_VERSION} wants Java {_JAVA_AT_LEAST} or later; "
            "install it or name it in JAVA_HOME"
        )
    return java


class KafkaNode:
    """A broker that is its own controller, for clients on this machine."""

    name = "kafka"
    variable = "KAFKA_BOOTSTRAP_SERVERS"
    n_ports = 2

    def address(self, port: int) -> str:
        """Host and port."""
        return f"127.0.0.1:{port}"

    def install(self, cache: Path) -> Path:
        """Let Maven copy the broker and all it needs into one folder of jars."""
        target = cache / f"kafka-{_VERSION}"
        with fresh_folder(target) as folder:
            if folder is not None:
                # Maven needs it too, and says less about it.
                _java()
                (folder / "pom.xml").write_text(_POM)
                run(
                    [
                        program("mvn", package="maven"),
                        *("-q", "-B", "-C", "-f", str(folder / "pom.xml"), "dependency:copy-dependencies"),
                        *(f"-DoutputDirectory={folder / 'libs'}", "-DincludeScope=runtime"),
                    ],
                    doing=f"downloading Kafka {_VERSION} with Maven (about 45 MB)",
                )
        return target

    def prepare(self, installed: Path, data: Path, ports: Sequence[int]) -> Launch:
        """Write the properties and format the storage, once."""
        client, controller = ports
        properties, logs = data / "server.properties", data / "log"
        properties.write_text(_PROPERTIES.format(client=client, controller=controller, logs=logs))
        classes = [_java(), "-cp", f"{installed / 'libs'}/*"]
        if not (logs / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # A process this short is over before the better compiler of the JVM pays.
            formatting = [
                "-XX:TieredStopAtLevel=1",
                "kafka.tools.StorageTool",
                "format",
                # In one word: an id may begin with a dash.
                f"--cluster-id={cluster}",
                "-c",
                str(properties),
            ]
            run([*classes, *formatting], doing="formatting Kafka's storage")
        logger = "-Dorg.slf4j.simpleLogger."
        clock = (f"{logger}showDateTime=true", f"{logger}dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
        options = ["-Xmx512m", f"{logger}defaultLogLevel=warn", *clock]
        return Launch(argv=[*classes, *options, "kafka.Kafka", str(properties)], environment={})

    def check(self, port: int) -> None:
        """Ask for the brokers; a node that has not joined its own cluster yet is not listed."""
        admin = KafkaAdminClient(
            bootstrap_servers=self.address(port), bootstrap_timeout_ms=_CHECK_MS, request_timeout_ms=_CHECK_MS
        )
        try:
            brokers = admin.describe_cluster()["brokers"]
        finally:
            admin.close()
        if not brokers:
            raise ServiceError(f"Kafka on 127.0.0.1:{port} lists no broker, want itself")
