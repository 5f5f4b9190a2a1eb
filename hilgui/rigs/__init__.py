"""Rigs: what a serial device must offer, the transport under it, arming, the safety cage and its supervisor."""
