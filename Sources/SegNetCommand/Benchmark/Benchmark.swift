import ArgumentParser

/// `segnet benchmark`: its subcommands measure, and print tables or JSON.
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure speed and memory on this machine.",
        discussion: """
            Every measurement alternates with one of the processor's peak: fused multiply-adds on registers, with the same instruction \
            set and threads. GFLOP/s count the operations of direct convolution (2 x MACs / time), so Winograd convolution may exceed \
            the peak. Weights are random.

            EXAMPLES:
              segnet benchmark
              segnet benchmark segnet --threads 1 --accuracy exact
              segnet benchmark networks segnet --size 480x360 --size 960x720 --size 1920x1440
              segnet benchmark layers segnet-basic
              SEGNET_ISA=avx2 segnet benchmark kernels --json
              segnet benchmark training segnet-basic
              segnet benchmark crf --classes 37
              segnet benchmark video clip.mp4
            """,
        subcommands: [
            BenchmarkNetworks.self, BenchmarkLayers.self, BenchmarkKernels.self, BenchmarkTraining.self,
            BenchmarkCRF.self, BenchmarkVideo.self,
        ],
        defaultSubcommand: BenchmarkNetworks.self
    )
}
