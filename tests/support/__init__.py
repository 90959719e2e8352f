"""What tests share: throwaway databases, models made on the spot, and ways to look inside."""
