"""What every stack must hold to: rules, exemptions from them, and the pack that `pulumi preview` runs."""
