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
            has accepted; a second one ends it at once.

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
              SEGNET_ACCURACY    The arithmetic where --accuracy is not given.

            EXIT CODES:
              0   It was told to stop, and has finished what it had accepted.
              1   It could not start; the message on standard error says why.
              64  The command line was not understood.
              130, 143  It was told to stop a second time, by Ctrl-C or by SIGTERM.
            """,
        version: "0.1.0"
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        AddressSpace.shareArenas()
        Descriptors.raiseLimit()
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
        // Requests do not wait for whoever reads the log.
        let lines = BackgroundLines(to: 2)
        LoggingSystem.bootstrap { label in
            var handler: any LogHandler =
                settings.logFormat == .json
                ? JSONLogHandler(label: label, write: lines.write)
                : StreamLogHandler(label: label, stream: BackgroundLines.Stream(lines))
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
        ) { port, memory in
            let models = entries.map(\.name).joined(separator: ", ")
            Console.print("Serving \(models) at \(Console.address(host: host, port: port)) (Ctrl-C stops it)")
            if !Console.isLoopback(host), !isProtected {
                Console.note("note: everyone who reaches \(host) can use it; --token-file asks for a token.")
            }
            Console.print("Memory: \(memory.summary)")
            if let warning = memory.warning { Console.note("note: \(warning)") }
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ServiceGroupConfiguration.ServiceConfiguration(service: application)],
                logger: configuration.logger
            )
        )
        let signals = await UnixSignalsSequence(trapping: [.sigterm, .sigint])
        let watch = Task {
            await StopSignals.watch(signals) {
                await group.triggerGracefulShutdown()
            } end: { signal in
                Console.note("ended at once: told to stop a second time.")
                await lines.flush(within: .milliseconds(100))
                _exit(128 + signal.rawValue)
            }
        }
        defer { watch.cancel() }
        do {
            try await group.run()
        } catch {
            await lines.flush(within: .seconds(1))
            throw error
        }
        await lines.flush(within: .seconds(1))
    }

    /// The user's pictures, or those that came with the page.
    private func samples(_ settings: ServerSettings) throws -> SamplePictures {
        try settings.samples.map { try SamplePictures(folders: [$0]) }
            ?? SamplePictures(page: settings.configuration.page, models: ModelStore.server.folders)
    }
}
