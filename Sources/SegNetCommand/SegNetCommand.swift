import ArgumentParser

/// The `segnet` command. Each subcommand has a file of its own: it parses, calls the library, prints.
@main
struct SegNetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segnet",
        abstract: "Semantic segmentation: which class does each pixel of a photo belong to?",
        discussion: """
            EXAMPLES:
              segnet demo
              segnet predict photos/ --model camvid.safetensors --output masks/
              segnet predict photo.jpg --model segnet.caffemodel --network segnet.prototxt
              segnet info segnet --size 480x360

            ENVIRONMENT:
              SEGNET_ISA  The kernels to use: portable, avx2, avx512 or neon; by default the fastest
                          that the machine has. 'segnet info --machine' lists them.
              SEGNET_ACCURACY
                          The default of '--accuracy': fast, accurate or exact.
              SEGNET_MODELS
                          Folders of models, separated by colons. Each NAME.safetensors in them can
                          be used by name, like the bundled models; 'segnet models' lists all.
              SEGNET_RECIPES, SEGNET_PLANS
                          Folders of recipes and of comparison plans, likewise: NAME.yaml;
                          'segnet recipe list' lists all.

            EVERYWHERE:
              --quiet     Leaves out progress and notes; results, warnings and errors stay.

            EXIT CODES:
              0   Everything was done.
              1   Something failed; the message on standard error says what. If there were
                  several pictures, the others were still processed.
              64  The command line was not understood.
              130 Ctrl-C ended it (143: SIGTERM, 129: SIGHUP). 'train' and 'compare' have saved their
                  progress: continue with 'train --resume', or with the same 'compare'.
            """,
        version: "0.1.0",
        subcommands: [
            Predict.self, Train.self, RecipeCommand.self, Evaluate.self, Compare.self, TuneCommand.self,
            DatasetCommand.self,
            Models.self, Info.self,
            Convert.self,
            Demo.self, Benchmark.self, Serve.self, Manual.self,
        ]
    )
}
