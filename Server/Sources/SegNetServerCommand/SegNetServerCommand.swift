import ArgumentParser
import Logging
import SegNetServer
import SegNetToolkit
import ServiceLifecycle
import UnixSignals

/// `segnet-server`: parse, build the service, run it until a signal.
@main
struct SegNetServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segnet-server",
        abstract: "Segment pictures over HTTP, with a page to try it.",
        discussion: """
            Serves the bundled models and those that --model names; the first is the default. Open the address that it \
            prints in a browser, or send pictures:

              curl --data-binary @photo.jpg http://127.0.0.1:8080/v1/segment -o mask.png

            /openapi.json describes the interface, docs/server.md explains it. SIGTERM and Ctrl-C let it finish what it \
            has accepted.

            EXAMPLES:
              segnet-server
              segnet-server --model camvid.safetensors --model night=night.safetensors
              segnet-server --host 0.0.0.0 --port 9000 --token-file /etc/segnet/token
              SEGNET_SERVER_PORT=9000 segnet-server --log-format json

            ENVIRONMENT:
              SEGNET_SERVER_...  Every option by its name in capitals, with _ for -, as
                                 SEGNET_SERVER_MAX_QUEUE=16; lists have commas. The
                                 command line wins.
              SEGNET_MODELS      Folders of models, separated by ':'.
              SEGNET_ISA         The kernels to use, as for 'segnet'.

            EXIT CODES:
              0   It was told to stop, and has finished what it had accepted.
              1   It could not start; the message on standard error says why.
              64  The command line was not understood.
            """,
        version: "0.1.0"
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        do {
            try await serve(try options.settings(environment: ProcessEnvironment.variables))
        } catch let error as ValidationError {
            throw error
        } catch {
            Console.note("error: \(error)")
            throw ExitCode.failure
        }
    }

    private func serve(_ settings: ServerSettings) async throws {
        LoggingSystem.bootstrap { label in
            var handler: any LogHandler =
                settings.logFormat == .json
                ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label)
            handler.logLevel = settings.logLevel
            return handler
        }
        var configuration = settings.configuration
        configuration.logger = Logger(label: "segnet-server")
        let entries = try ModelCatalog.entries(named: settings.models, includesBundled: settings.bundled)
        let catalog = try ModelCatalog(entries, configuration: configuration)
        let (host, isProtected) = (configuration.host, configuration.token != nil)
        let application = try ServiceApplication(
            configuration,
            catalog: catalog,
            samples: try samples(settings)
        ) { port in
            let models = entries.map(\.name).joined(separator: ", ")
            Console.print("Serving \(models) at \(Console.address(host: host, port: port)) (Ctrl-C stops it)")
            if !Console.isLoopback(host), !isProtected {
                Console.note("note: everyone who reaches \(host) can use it; --token-file asks for a token.")
            }
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ServiceGroupConfiguration.ServiceConfiguration(service: application)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: configuration.logger
            )
        )
        try await group.run()
    }

    /// The user's pictures, or those that came with the page.
    private func samples(_ settings: ServerSettings) throws -> SamplePictures {
        try settings.samples.map { try SamplePictures(folders: [$0]) }
            ?? SamplePictures(page: settings.configuration.page, models: ModelStore.server.folders)
    }
}
