// SegNetNetworks
