internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// What the service offers: models and sample pictures.
struct InformationEndpoints: Sendable {
    let service: ServiceState

    func register(on router: Router<ServiceContext>) {
        router.get("/v1/models") { _, _ in Response(json: models) }
        router.get("/v1/samples") { _, _ in Response(json: samples) }
    }

    struct Models: Codable, Sendable {
        var models: [ServedModel.Document]
    }

    private var models: Models {
        let first = service.catalog.models.first?.name
        return Models(models: service.catalog.models.map { $0.document(isDefault: $0.name == first) })
    }

    struct Samples: Codable, Sendable {
        struct Sample: Codable, Sendable, Hashable {
            var name: String
            var title: String
            var url: String
        }

        var samples: [Sample]
    }

    private var samples: Samples {
        Samples(
            samples: service.samples.samples.map {
                Samples.Sample(name: $0.name, title: $0.title, url: "/samples/" + PercentEncoding.encode($0.fileName))
            }
        )
    }
}

extension Response {
    /// 200 with a JSON document.
    init(json value: some Encodable) {
        self.init(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: JSON.bytes(value)))
        )
    }
}
