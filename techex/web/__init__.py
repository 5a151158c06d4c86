"""What every page needs: who asks, in which language, replies, problems, policy, headers. Knows no domain."""
