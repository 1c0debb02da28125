import Testing

@testable import SegNetCommand

@Suite("Options that would change nothing")
struct IgnoredOptionsTests {
    @Test(
        "are refused, and named",
        arguments: [
            (
                ["predict", "a.png", "--save", "mask", "--opacity", "0.3"],
                "Please give '--opacity' only with an overlay ('--save overlay')."
            ),
            (
                ["predict", "clip.mp4", "--max-pixels", "1000"],
                "Please leave '--max-pixels' out with a video; it is for pictures."
            ),
            (["predict", "--merge", "m", "--every", "3"], "Please leave '--every' out with '--merge', which reads"),
            (
                ["predict", "--merge", "m", "--threads", "3"],
                "Please leave '--threads' out with '--merge', which reads"
            ),
            (
                ["predict", "--merge", "m", "--opacity", "1"],
                "Please leave '--opacity' out with '--merge', which reads"
            ),
            (
                ["convert", "a.safetensors", "b.onnx", "--name", "mine"],
                "Please give '--name' only when writing .safetensors, which alone holds it; found 'b.onnx'."
            ),
            (
                ["convert", "a.safetensors", "b.caffemodel", "--note", "licence=mine"],
                "Please give '--note' only when writing .safetensors, which alone holds it; found 'b.caffemodel'."
            ),
            (
                ["convert", "a.safetensors", "b.safetensors", "--note", "=mine"],
                "Please give '--note' as key=text; found '=mine'."
            ),
            (["info", "--list", "--fc", "9"], "Please leave '--fc' out with '--list', which shows no single network."),
            (
                ["info", "--machine", "--size", "9x9"],
                "Please leave '--size' out with '--machine', which shows no single network."
            ),
            (
                ["recipe", "explain", "epochs", "--markdown"],
                "Please leave '--markdown' out with 'epochs': its tables are of all settings."
            ),
            (
                ["benchmark", "crf", "--picture", "a.png", "--probabilities", "a.npy", "--classes", "3"],
                "Please leave '--classes' out with '--picture': it is for the rendered street."
            ),
            (
                ["benchmark", "crf", "--picture", "a.png", "--probabilities", "a.npy", "--output", "./a.npy"],
                "Please give '--output' another file: ./a.npy is read, and would be replaced."
            ),
            (
                ["benchmark", "training", "segnet-basic", "--precision", "float16"],
                "Please leave '--precision' out: a training keeps its weights in float32. '--storage float16' stores its maps in half "
                    + "the memory."
            ),
            (
                ["dataset", "preview", "--dataset", "synthetic", "--seed", "1"],
                "Please give '--seed' only with '--augment'."
            ),
            (
                ["dataset", "weights", "--dataset", "camvid", "--authors", "--split", "val"],
                "Please leave '--split' out with '--authors', for which no file is read."
            ),
            (
                ["dataset", "weights", "--dataset", "camvid", "--authors", "--data", "CamVid"],
                "Please leave '--data' out with '--authors', for which no file is read."
            ),
            (
                ["dataset", "weights", "--dataset", "camvid", "--authors", "--folds", "5"],
                "Please leave '--folds' out with '--authors', for which no file is read."
            ),
            (
                ["compare", "plan.yaml", "--check", "--retrain"],
                "Please leave '--retrain' out with '--check', which trains nothing."
            ),
            (
                ["compare", "plan.yaml", "--dry-run", "--retrain"],
                "Please leave '--retrain' out with '--dry-run', which trains nothing."
            ),
        ]
    )
    func ignored(arguments: [String], problem: String) { expectRefusal(of: arguments, problem) }
}
