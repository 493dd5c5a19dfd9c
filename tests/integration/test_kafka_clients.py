from flows.kafka.base import KafkaClient, KafkaSettings
from flows.kafka.connect import connect
from tests.contracts.kafka_client import KafkaClientContract


class TestKafkaPython(KafkaClientContract):
    def connect(self, settings: KafkaSettings) -> KafkaClient:
        return connect(settings)


class TestLibrdkafka(KafkaClientContract):
    def connect(self, settings: KafkaSettings) -> KafkaClient:
        return connect(settings, "librdkafka")
