extension Duration {
    package var inMilliseconds: Double { inSeconds * 1000 }
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
