"""The fault suite: each promise of the gateway, with its faults, its figure and a control that must fail."""
